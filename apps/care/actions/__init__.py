"""What is done with home tests, services and the health archive. Importing this registers all actions."""

from apps.care.actions.archive import add_record, read_archive, record_given, withdraw_plan
from apps.care.actions.home_tests import order_test
from apps.care.actions.services import request_service
from apps.care.workflow import HOME_TEST, SERVICE

__all__ = [
    "HOME_TEST",
    "SERVICE",
    "add_record",
    "order_test",
    "read_archive",
    "record_given",
    "request_service",
    "withdraw_plan",
]
