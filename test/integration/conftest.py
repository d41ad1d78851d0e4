"""What tests against real servers share."""

from fakes.zookeeper import keeper, zookeeper

__all__ = ["keeper", "zookeeper"]
