import graphene


class Query(graphene.ObjectType):
    price = graphene.Int(default_value=12)


schema = graphene.Schema(query=Query)
