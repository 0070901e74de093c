"""The words that the practice shop is made of: people, places, goods and seasons, all made up."""

from __future__ import annotations

from dataclasses import dataclass

FIRST_NAMES = """
Ada Alan Amelia Anouk Anton Aoife Arthur Astrid Ben Bettina Brigid Carla Cedric Clara Conor Daan Daisy Denis Edith Elena
Emil Eva Felix Fergus Fiona Frank Freya Gemma George Greta Hana Harriet Hugo Ines Ingrid Isla Ivan Jack Jana Jonas Julia
Karim Katja Kieran Lars Laura Leila Leo Lotte Lucas Mabel Maeve Marco Maria Mina Nadia Nils Nora Oliver Omar Oscar Paula
Pavel Petra Priya Quentin Rosa Rory Ruth Sabine Samir Sara Sven Tara Theo Tilda Tom Una Vera Viktor Wanda Wim Yara Zoë
""".split()
LAST_NAMES = """
Abbott Adler Archer Ashby Bailey Baker Barlow Becker Berg Blake Bosman Brady Brandt Brook Byrne Carver Chandler Clarke
Cole Cooper Dale de Vries Doyle Duval Ellis Falk Fischer Fleming Fontaine Forde Foster Gardner Grant Hale Hansen Hart
Heath Holm Hughes Jansen Keane Keller Kelly Kerr Lang Larkin Leroy Lindt Marsh Mercer Meyer Moreau Murphy Nolan North
O'Hara Okoye Olsen Osman Park Patel Peeters Porter Quinn Reed Renard Rossi Ryan Schäfer Shaw Smit Stone Tate Thorne
Turner Vance Visser Wagner Walsh Ward Weber West Winter Wolf Wood Young
""".replace("de Vries", "de_Vries").split()

STREETS = (
    "Mill Lane",
    "Station Road",
    "Church Street",
    "Harbour View",
    "Orchard Close",
    "Bridge Street",
    "High Street",
)


@dataclass(frozen=True)
class Place:
    """A town, how many of the customers live there, and what they speak."""

    weight: int
    country_code: str
    country: str
    province_code: str | None
    province: str | None
    city: str
    zip: str
    locale: str = "en"


PLACES = (
    Place(150, "GB", "United Kingdom", "ENG", "England", "London", "E1 6AN"),
    Place(60, "GB", "United Kingdom", "ENG", "England", "Manchester", "M1 2AB"),
    Place(45, "GB", "United Kingdom", "ENG", "England", "Bristol", "BS1 4DJ"),
    Place(40, "GB", "United Kingdom", "ENG", "England", "Leeds", "LS1 5PS"),
    Place(25, "GB", "United Kingdom", "ENG", "England", "York", "YO1 7HH"),
    Place(45, "GB", "United Kingdom", "SCT", "Scotland", "Edinburgh", "EH1 1RE"),
    Place(30, "GB", "United Kingdom", "SCT", "Scotland", "Glasgow", "G1 3SL"),
    Place(25, "GB", "United Kingdom", "WLS", "Wales", "Cardiff", "CF10 1EP"),
    Place(20, "GB", "United Kingdom", "NIR", "Northern Ireland", "Belfast", "BT1 5GS"),
    Place(35, "IE", "Ireland", "D", "Dublin", "Dublin", "D02 X285"),
    Place(15, "IE", "Ireland", "CO", "Cork", "Cork", "T12 W8KX"),
    Place(25, "DE", "Germany", None, None, "Berlin", "10115", "de"),
    Place(18, "DE", "Germany", None, None, "Hamburg", "20095", "de"),
    Place(15, "DE", "Germany", None, None, "München", "80331", "de"),
    Place(20, "FR", "France", None, None, "Paris", "75004", "fr"),
    Place(10, "FR", "France", None, None, "Lyon", "69002", "fr"),
    Place(18, "NL", "Netherlands", None, None, "Amsterdam", "1012 AB", "nl"),
    Place(12, "ES", "Spain", "B", "Barcelona", "Barcelona", "08001", "es"),
    Place(14, "US", "United States", "NY", "New York", "New York", "10001"),
    Place(8, "US", "United States", "CA", "California", "San Francisco", "94103"),
    Place(8, "CA", "Canada", "ON", "Ontario", "Toronto", "M5H 2N2"),
)


@dataclass(frozen=True)
class Range:
    """One type of goods: who makes them, what they cost in minor units, their season, and what they are called."""

    type: str
    vendors: tuple[str, ...]
    prices: tuple[int, int]
    tags: tuple[str, ...]
    names: tuple[str, ...]
    variants: tuple[str, ...] = ("Default Title",)
    season: str | None = None


RANGES = (
    Range(
        "Candles",
        ("Waxwing", "Harbour Light"),
        (690, 2490),
        ("home", "gift"),
        ("Beeswax Pillar", "Cedar Candle", "Fig Candle", "Sea Salt Candle", "Lavender Votive", "Honey Tealights"),
    ),
    Range(
        "Mugs",
        ("Claywell",),
        (890, 1890),
        ("kitchen", "gift"),
        ("Speckled Mug", "Harbour Mug", "Tall Latte Mug", "Espresso Cup", "Enamel Mug", "Sunday Mug"),
        ("Oat", "Blue"),
    ),
    Range(
        "Blankets",
        ("Northfold", "Loom & Lamb"),
        (3900, 12900),
        ("home", "wool"),
        ("Herringbone Throw", "Lambswool Blanket", "Cotton Throw", "Baby Blanket", "Waffle Throw"),
        ("Grey", "Rust"),
    ),
    Range(
        "Notebooks",
        ("Paper Wren",),
        (490, 1690),
        ("stationery", "gift"),
        ("Pocket Notebook", "Dotted Journal", "Sketchbook", "Recipe Book", "Travel Diary", "Reading Log"),
    ),
    Range(
        "Tea",
        ("Leaf & Kettle",),
        (450, 1450),
        ("pantry", "vegan"),
        ("Morning Blend", "Smoky Black Tea", "Mint Tea", "Chamomile", "Tea Sampler", "Earl Grey Tin"),
    ),
    Range(
        "Kitchen",
        ("Claywell", "Northfold"),
        (790, 4900),
        ("kitchen",),
        ("Oak Board", "Linen Apron", "Tea Towel Pair", "Butter Dish", "Salt Cellar", "Bread Basket", "Measuring Jug"),
    ),
    Range(
        "Toys",
        ("Little Heron",),
        (990, 3490),
        ("children", "wood"),
        ("Wooden Train", "Stacking Rings", "Felt Fox", "Animal Puzzle", "Pull-along Duck"),
    ),
    Range(
        "Garden",
        ("Green Gate",),
        (590, 5900),
        ("garden", "outdoor"),
        ("Watering Can", "Seed Box", "Plant Mister", "Herb Pots", "Bird Feeder", "Garden Twine"),
        season="summer",
    ),
    Range(
        "Picnic",
        ("Green Gate", "Loom & Lamb"),
        (1290, 6900),
        ("outdoor", "summer"),
        ("Picnic Rug", "Wicker Hamper", "Bamboo Plates", "Lemonade Bottle", "Beach Towel"),
        season="summer",
    ),
    Range(
        "Christmas",
        ("Harbour Light", "Paper Wren"),
        (390, 4500),
        ("christmas", "gift"),
        ("Glass Baubles", "Advent Calendar", "Spruce Candle", "Paper Stars", "Stocking", "Mulling Spices", "Card Set"),
        season="christmas",
    ),
)

# how much more of each season's goods is sold in each month, January first
SEASONS = {
    None: (1.0,) * 12,
    "summer": (0.2, 0.3, 0.7, 1.2, 2.0, 3.0, 3.2, 2.4, 1.0, 0.4, 0.2, 0.2),
    "christmas": (0.1, 0.02, 0.02, 0.02, 0.02, 0.02, 0.05, 0.1, 0.4, 1.5, 5.0, 6.0),
}
# how busy the shop is in each month
MONTHS = (0.8, 0.8, 0.85, 0.9, 0.95, 1.05, 1.1, 1.0, 0.9, 1.0, 1.6, 1.9)
HOURS = (1, 1, 0, 0, 0, 1, 2, 4, 6, 7, 8, 8, 9, 8, 7, 7, 7, 8, 9, 11, 12, 11, 7, 3)


@dataclass(frozen=True)
class Code:
    """A discount code: per cent off, and the months in which it is given out (none: to first orders)."""

    name: str
    percent: int
    months: tuple[int, ...] = ()


CODES = (Code("WELCOME10", 10), Code("SUMMER15", 15, (7, 8)), Code("ADVENT20", 20, (11, 12)), Code("SPRING5", 5, (3,)))

LANDING_SITES = (
    "/",
    "/collections/new",
    "/collections/gifts",
    "/?utm_source=newsletter&utm_medium=email",
    "/pages/about",
)
REFERRERS = (None, "https://search.example.com/", "https://social.example.com/", "https://blog.example.com/gifts")
USER_AGENTS = (
    "Mozilla/5.0 (iPhone; CPU iPhone OS 19_1 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Mobile/15E148",
    "Mozilla/5.0 (Linux; Android 16) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0 Mobile Safari/537.36",
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0 Safari/537.36",
    "Mozilla/5.0 (iPad; CPU OS 19_1 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Mobile/15E148 Safari/604.1",
)
REFUND_NOTES = ("arrived broken", "did not fit", "ordered twice", "changed their mind", "late delivery")
MERCHANT_TAGS = (("wholesale", 0.02), ("VIP friend", 0.015), ("newsletter", 0.12), ("Craft fair 2025", 0.04))
COLOURS = ("red", "green", "blue", "yellow")
