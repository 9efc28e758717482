"""Files, papers and letters over the API."""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet
from django.http import FileResponse
from django.utils.translation import gettext_lazy as _
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from rest_framework import serializers, status, viewsets
from rest_framework.decorators import action
from rest_framework.parsers import MultiPartParser
from rest_framework.request import Request
from rest_framework.response import Response

from apps.accounts.actions import log_read
from apps.accounts.visibility import visible_to
from apps.core.api import NUMBERED, ActorMixin
from apps.core.errors import Conflict, InvalidInput
from apps.documents.models import Letter, Paper, StoredFile
from apps.documents.storage import open_stored, store_upload


class FileSerializer(serializers.ModelSerializer[StoredFile]):
    class Meta:
        model = StoredFile
        fields = ["sha256", "name", "content_type", "size", "pages"]


class UploadSerializer(serializers.Serializer[Any]):
    file = serializers.FileField(help_text=_("PDF, JPEG, PNG, TIFF, WebP, OFD or XML, at most 50 MB"))


class FileViewSet(ActorMixin, viewsets.ViewSet):
    """Upload scans first, then name their SHA-256 in the claim or the paper."""

    parser_classes = [MultiPartParser]
    required_scopes = {"read": "claims:read", "write": "claims:write"}

    @extend_schema(request=UploadSerializer, responses={201: FileSerializer})
    def create(self, request: Request) -> Response:
        """Store a file. It is recognized by its content; the same bytes are kept once."""
        upload = request.FILES.get("file")
        if upload is None:
            raise InvalidInput(_("A file is expected in the field “file”."), field="file", code="required")
        stored = store_upload(upload, upload.name or "")
        return Response(FileSerializer(stored).data, status=status.HTTP_201_CREATED)


class PaperSerializer(serializers.ModelSerializer[Paper]):
    case = serializers.CharField(source="case.number", read_only=True)
    file = FileSerializer(read_only=True)

    class Meta:
        model = Paper
        fields = [
            "id", "case", "kind", "form", "subject", "pages", "file", "legible", "color", "annotated", "signed",
            "has_photo", "valid_until", "usable", "note", "received_at",
        ]  # fmt: skip


class PaperViewSet(ActorMixin, viewsets.ReadOnlyModelViewSet[Paper]):
    """Papers of the cases the caller may see; new ones come in through the case's actions."""

    queryset = Paper.objects.none()
    serializer_class = PaperSerializer
    filterset_fields = {"case__number": ["exact"], "kind": ["exact"], "usable": ["exact"]}
    ordering_fields = ["received_at"]
    ordering = ["-received_at"]
    required_scopes = {"read": "claims:read"}

    def get_queryset(self) -> QuerySet[Paper]:
        if getattr(self, "swagger_fake_view", False):
            return self.queryset
        return visible_to(Paper.objects.select_related("case", "file"), self.actor)


class LetterSerializer(serializers.ModelSerializer[Letter]):
    case = serializers.CharField(source="case.number", read_only=True)

    class Meta:
        model = Letter
        fields = ["id", "number", "version", "kind", "state", "case", "sha256", "created_at", "rendered_at"]


class LetterViewSet(ActorMixin, viewsets.ReadOnlyModelViewSet[Letter]):
    """Letters of the cases the caller may see, such as explanations of benefits; `pdf` is the paper."""

    queryset = Letter.objects.none()
    serializer_class = LetterSerializer
    filterset_fields = {"case__number": ["exact"], "kind": ["exact"], "state": ["exact"]}
    filter_backends = NUMBERED
    search_fields = ["number"]
    ordering_fields = ["created_at"]
    ordering = ["-created_at"]
    required_scopes = {"read": "claims:read"}

    def get_queryset(self) -> QuerySet[Letter]:
        if getattr(self, "swagger_fake_view", False):
            return self.queryset
        return visible_to(Letter.objects.select_related("case", "file"), self.actor)

    @extend_schema(responses={(200, "application/pdf"): OpenApiTypes.BINARY})
    @action(detail=True)
    def pdf(self, request: Request, pk: str) -> Any:
        """The letter as PDF; reading it is logged (LAW-09)."""
        letter = self.get_object()
        if letter.file is None:
            raise Conflict(_("This letter is still being rendered."), code="not_rendered")
        log_read(self.actor, subject=f"letter:{letter.number}", what=letter.kind)
        return FileResponse(
            open_stored(letter.file), content_type="application/pdf", filename=f"{letter.number}.pdf"
        )


def register(router: Any) -> None:
    router.register("files", FileViewSet, basename="file")
    router.register("papers", PaperViewSet, basename="paper")
    router.register("letters", LetterViewSet, basename="letter")
