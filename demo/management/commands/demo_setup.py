from django.conf import settings
from django.contrib.auth import get_user_model
from django.core.management import BaseCommand, CommandError, call_command

from demo.models import Message, Room
from demo.sample_data import MESSAGES, PASSWORDS, ROOMS


class Command(BaseCommand):
    help = "Prepare the demo for local use: tables, rooms, messages, users with well-known passwords, an admin."

    def add_arguments(self, parser):
        parser.add_argument("--port", type=int, default=8000, help="the port that the server will listen on")

    def handle(self, *, port, **options):
        if not settings.DEBUG:
            raise CommandError(
                "demo_setup makes users with well-known passwords, an admin too, so it works with DEBUG on "
                "only. Elsewhere use 'manage.py migrate' and 'manage.py createsuperuser'."
            )
        for database in settings.DATABASES:
            call_command("migrate", database=database, verbosity=0)
        users = {username: self.make_user(username) for username in PASSWORDS}
        rooms = {slug: Room.objects.get_or_create(slug=slug, defaults={"title": ROOMS[slug]})[0] for slug in ROOMS}
        if not Message.objects.exists():
            for room, sender, text in MESSAGES:
                Message.objects.create(room=rooms[room], sender=users[sender], text=text)
        self.say_what_to_try(f"http://127.0.0.1:{port}/")

    def make_user(self, username):
        users = get_user_model().objects
        if user := users.filter(username=username).first():
            return user
        create = users.create_superuser if username == "admin" else users.create_user
        return create(username, password=PASSWORDS[username])

    def say_what_to_try(self, address):
        self.stdout.write(
            f"""
The demo is ready: {address}

  {address}chat/      Open it in two browser windows, one of them private. Log in as alice
      (password {PASSWORDS["alice"]}) in one, and as bob (password {PASSWORDS["bob"]}) in the other, and write.
      Reload, change some code, restart the server: the windows go on.
  {address}graphiql/  runs queries, mutations and subscriptions of your own.
  {address}admin/     is for the user admin (password {PASSWORDS["admin"]}). Edit or delete a message there.

The first page has all this, and commands for a second terminal.
"""
        )
