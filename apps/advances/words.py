"""What calls about an advance are about, in words."""

from __future__ import annotations

from django.utils.translation import pgettext_lazy

PURPOSES = {
    "advance_first_call": pgettext_lazy("call", "advance: needs and costs"),
    "advance": pgettext_lazy("call", "news of the advance"),
}
