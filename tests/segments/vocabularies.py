"""What queries of tests may name: the whole language, whether supplied or not, and attributes of a merchant's own."""

from plugin.segments.language.schema import Field, Function, Parameter, Type
from plugin.segments.language.vocabulary import Vocabulary

BIRTH_DATE = Field("metafields.facts.birth_date", Type.DATE, "born_on", "Date of birth")
SHOE_SIZE = Field("attributes.shoe-size", Type.DECIMAL, "shoe_size", "Size of shoes")
LIKES = Field("metafields.facts.likes", Type.STRING, "likes", "What they like")


class Everything(Vocabulary):
    """Whatever this shop's platforms supply, and whether anything does yet. What nobody has defined it lacks."""

    def has(self, row: Field | Function | Parameter) -> bool:
        return isinstance(row, Function) or row.type is not Type.UNDEFINED


EVERYTHING = Everything(own=(BIRTH_DATE, SHOE_SIZE, LIKES))
