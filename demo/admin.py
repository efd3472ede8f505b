from django.contrib import admin

from demo.models import Message, Room, Seat


@admin.register(Room)
class RoomAdmin(admin.ModelAdmin):
    list_display = ["title", "slug", "created"]
    search_fields = ["title", "slug"]
    prepopulated_fields = {"slug": ["title"]}


@admin.register(Message)
class MessageAdmin(admin.ModelAdmin):
    list_display = ["created", "room", "sender", "text"]
    list_display_links = ["text"]
    list_filter = ["room", "sender"]
    list_select_related = ["room", "sender"]
    search_fields = ["text", "sender__username"]
    date_hierarchy = "created"
    ordering = ["-pk"]


@admin.register(Seat)
class SeatAdmin(admin.ModelAdmin):
    """Who has the chat open; rows come and go with the windows."""

    list_display = ["__str__", "seen"]
    list_select_related = ["user"]

    def has_add_permission(self, request):
        return False

    def has_change_permission(self, request, seat=None):
        return False
