"""What the desk stores, a module for each room of it; everything is imported from here."""

from desk.models.answers import Answer, AnswerState, CannedReply
from desk.models.audit import AuditHead, AuditRecord
from desk.models.erasure import Receipt
from desk.models.files import FileState, TicketFile
from desk.models.gaps import GapDecision
from desk.models.login import LoginToken
from desk.models.pauses import Pause
from desk.models.reminders import Reminder
from desk.models.staff_group import Colleague, Post, PostState, Topic
from desk.models.tickets import WAITING, Kind, State, Ticket, TicketCounter, TicketEvent

__all__ = [
    "WAITING",
    "Answer",
    "AnswerState",
    "AuditHead",
    "AuditRecord",
    "CannedReply",
    "Colleague",
    "FileState",
    "GapDecision",
    "Kind",
    "LoginToken",
    "Pause",
    "Post",
    "PostState",
    "Receipt",
    "Reminder",
    "State",
    "Ticket",
    "TicketCounter",
    "TicketEvent",
    "TicketFile",
    "Topic",
]
