"""`/pay/`: where a payment gateway speaks to us, and the page of the one that is built in."""

from django.urls import path

from apps.billing.public_views import notices, sandbox_payment

urlpatterns = [
    path("notices/", notices, name="payment-notices"),
    path("sandbox/<str:reference>/", sandbox_payment, name="sandbox-payment"),
]
