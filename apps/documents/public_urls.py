"""`/v/<token>/`: anyone may check whether a letter is valid."""

from django.urls import path

from apps.documents.public_views import verify_letter

urlpatterns = [path("<str:token>/", verify_letter, name="verify-letter")]
