"""Logging in and out over the socket."""

import graphene
from django.contrib.auth import authenticate
from django.contrib.auth.models import AnonymousUser
from graphql import GraphQLError

from demo import login_tokens
from demo.schema.types import User


class Login(graphene.Mutation):
    """Log in on this connection; the token makes it last, when it is posted to the login page's address."""

    class Arguments:
        username = graphene.String(required=True)
        password = graphene.String(required=True)

    me = graphene.Field(User, required=True)
    token = graphene.String(required=True, description="Good for one use within a minute.")

    @staticmethod
    def mutate(root, info, username, password):
        user = authenticate(username=username, password=password)
        if user is None:
            raise GraphQLError("User name and password do not match: try those that 'manage.py demo_setup' prints.")
        info.context.channels_scope["user"] = user
        return Login(me=user, token=login_tokens.issue(user))


class Logout(graphene.Mutation):
    """Log out on this connection; the session of the cookie ends with a POST to the logout page's address."""

    ok = graphene.Boolean(required=True)

    @staticmethod
    def mutate(root, info):
        info.context.channels_scope["user"] = AnonymousUser()
        return Logout(ok=True)
