"""What a value of `stack.yaml` may be, for the parts that use the same kinds."""

from typing import Annotated

from pydantic import ConfigDict, Field

Name = Annotated[str, Field(pattern=r"^[A-Za-z][A-Za-z0-9_-]{0,63}$")]
Text = Annotated[str, Field(min_length=1)]
CustomAttributeName = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,19}$")]

FACTS = ConfigDict(extra="forbid")  # an unknown key is a typing error, never a silent no-op
