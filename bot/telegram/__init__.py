"""The Telegram channel: updates in, the outbox out. Nothing else in Citydesk knows Telegram."""
