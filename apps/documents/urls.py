"""`/files/…`: papers and letters for people who are logged in."""

from django.urls import path

from apps.documents import views

urlpatterns = [
    path("<int:paper_id>/", views.paper_file, name="paper-file"),
    path("<int:paper_id>/pages/<int:page>.png", views.paper_page, name="paper-page"),
    path("letters/<int:letter_id>/", views.letter_file, name="letter-file"),
    path("letters/<int:letter_id>/pages/<int:page>.png", views.letter_page, name="letter-page"),
]
