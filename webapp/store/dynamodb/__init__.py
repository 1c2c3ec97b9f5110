from webapp.store.dynamodb.store import DynamoStore

__all__ = ["DynamoStore"]
