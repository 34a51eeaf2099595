"""The words of the sample platform: planted intents, their exemplars, and the entities of each.

One block an intent; one line an exemplar: kind | name | type:entity, type:entity, …
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import cast

from hier_dag.sample.services import Kind

_TEXT = """
quick weekday lunch
food | noodle bar bowls | dish:Ramen, dish:Udon Noodles, cuisine:Japanese, ingredient:Miso, ingredient:Bok Choy
food | grab-and-go sandwiches | dish:Club Sandwich, dish:Bagel, ingredient:Rye Bread, ingredient:Cheddar, style:Takeaway
goods | desk lunch gear | product:Lunch Box, product:Vacuum Flask, product:Cutlery Set, style:Portable
outing | office canteen spots | venue:Food Hall, venue:Noodle Bar, activity:Lunch Meetup, style:Quick Bites

healthy eating
food | green protein bowls | dish:Poke Bowl, dish:Grain Salad, ingredient:Quinoa, ingredient:Avocado, diet:High Protein
food | plant-based comfort | dish:Lentil Curry, dish:Bean Burger, ingredient:Tofu, ingredient:Chickpea, diet:Vegan
goods | smoothie and juice kitchen | product:Blender, product:Cold Press Juicer, ingredient:Spinach, diet:Detox
outing | wellness studios | activity:Yoga, activity:Pilates, venue:Juice Bar, style:Mindful

family weekend dinner
food | pizza night | dish:Margherita Pizza, dish:Garlic Bread, cuisine:Italian, ingredient:Mozzarella, occasion:Family Night
food | roast and sides | dish:Roast Chicken, dish:Potato Gratin, cuisine:British, ingredient:Rosemary, ingredient:Root Vegetables
goods | board games and table fun | product:Board Game, product:Jigsaw Puzzle, product:Card Deck, occasion:Rainy Day
outing | family diners | venue:Diner, venue:Play Cafe, activity:Petting Farm, style:Kid Friendly

sweet tooth
food | bubble tea and waffles | dish:Bubble Tea, dish:Belgian Waffle, ingredient:Tapioca, ingredient:Brown Sugar, cuisine:Taiwanese
food | patisserie cakes | dish:Eclair, dish:Cheesecake, cuisine:French, ingredient:Dark Chocolate, ingredient:Vanilla
goods | home baking tools | product:Stand Mixer, product:Cake Tin, product:Piping Set, ingredient:Bread Flour
outing | dessert trail | venue:Ice Cream Parlour, venue:Bakery, activity:Chocolate Tasting, style:Indulgent

date night
food | sushi and sake | dish:Nigiri, dish:Tempura, ingredient:Salmon, ingredient:Wasabi, style:Elegant
food | candlelit steakhouse | dish:Ribeye Steak, dish:Truffle Fries, ingredient:Red Wine, cuisine:Argentine, occasion:Anniversary
goods | perfume and flowers | product:Perfume, product:Bouquet, product:Scented Candle, occasion:Valentine
outing | live music evenings | venue:Jazz Club, venue:Rooftop Bar, activity:Salsa Dancing, style:Romantic

hosting guests
food | tapas and mezze spreads | dish:Patatas Bravas, dish:Hummus, cuisine:Spanish, cuisine:Lebanese, ingredient:Olive
food | barbecue feast | dish:Pulled Pork, dish:Corn on the Cob, ingredient:Smoked Paprika, cuisine:Texan, occasion:Garden Party
goods | table and glassware | product:Wine Glasses, product:Serving Board, product:Table Linen, style:Scandinavian
outing | party venues | venue:Karaoke Lounge, venue:Bowling Alley, activity:Cocktail Class, occasion:Birthday

cooking from scratch
food | thai and vietnamese kitchen | dish:Green Curry, dish:Pho, cuisine:Thai, cuisine:Vietnamese, ingredient:Lemongrass
food | fermenting and sourdough | dish:Sourdough Loaf, dish:Kimchi, ingredient:Starter Culture, cuisine:Korean, diet:Gut Friendly
goods | knives and pans | product:Chef Knife, product:Cast Iron Pan, product:Pasta Maker, style:Professional
outing | farmers markets | venue:Farmers Market, venue:Spice Shop, activity:Foraging, style:Seasonal

fitness and outdoors
food | athlete refuelling | dish:Protein Pancakes, dish:Energy Balls, ingredient:Oats, ingredient:Peanut Butter, diet:Low Sugar
goods | running and gym gear | product:Running Shoes, product:Resistance Bands, product:Fitness Watch, style:Breathable
goods | camping equipment | product:Tent, product:Sleeping Bag, product:Camping Stove, style:Weatherproof
outing | trails and climbing | activity:Hiking, activity:Bouldering, venue:Climbing Gym, venue:Nature Reserve

new parents
food | toddler meals | dish:Mini Pasta, dish:Veggie Fritters, ingredient:Sweet Potato, ingredient:Yoghurt, diet:No Added Salt
food | one-pan suppers | dish:Sheet Pan Salmon, dish:Fried Rice, ingredient:Broccoli, ingredient:Eggs, style:Low Effort
goods | nursery essentials | product:Baby Stroller, product:Baby Monitor, product:Nappies, style:Hypoallergenic
outing | baby-friendly mornings | activity:Baby Swimming, activity:Story Time, venue:Soft Play Centre, style:Step Free

home refresh
food | weekend brunch | dish:Eggs Benedict, dish:Shakshuka, ingredient:Smoked Salmon, ingredient:Feta, occasion:Slow Morning
goods | plants and pots | product:Monstera, product:Ceramic Planter, product:Watering Can, style:Botanical
goods | repair and paint | product:Cordless Drill, product:Wall Paint, product:Tool Box, style:Do It Yourself
outing | design and flea markets | venue:Flea Market, venue:Design Studio, activity:Pottery, style:Vintage

exploring the city
food | street food crawl | dish:Birria Taco, dish:Bao Bun, cuisine:Mexican, cuisine:Chinese, ingredient:Coriander
food | coffee and pastries | dish:Flat White, dish:Cinnamon Roll, ingredient:Single Origin Coffee, venue:Coffee Bar, style:Cosy
outing | museums and galleries | venue:Art Museum, venue:Photo Gallery, activity:Audio Tour, style:Cultural
outing | boats and viewpoints | activity:Boat Cruise, activity:Kayaking, venue:Observation Deck, style:Scenic

gifts and celebrations
food | celebration cakes and boxes | dish:Layer Cake, dish:Macarons, ingredient:Raspberry, ingredient:Marzipan, occasion:Wedding
food | festive feasts | dish:Biryani, dish:Samosa, cuisine:Indian, ingredient:Saffron, occasion:Festival of Lights
goods | gift hampers and gadgets | product:Gift Hamper, product:Smart Speaker, product:Photo Frame, occasion:Graduation
outing | theatre and spa treats | venue:Theatre, venue:Day Spa, activity:Wine Tasting, style:Luxury
"""  # noqa: E501

# How a narrower entity is named after a broader one.
MODIFIERS = {
    "dish": ("Spicy", "Crispy", "Smoky", "Street-Style", "Slow-Cooked", "Garden"),
    "product": ("Compact", "Premium", "Recycled", "Everyday", "Travel"),
    "activity": ("Guided", "Evening", "Weekend", "Beginner"),
    "venue": ("Hidden", "Riverside", "Late-Night", "Courtyard"),
    "ingredient": ("Organic", "Local"),
}

BRAND_HEADS = (
    "Alder", "Birchwood", "Calloway", "Dunmore", "Eastgate", "Fennimore", "Goldcrest", "Harrow", "Ivybridge",
    "Juniper", "Kestrel", "Larkspur", "Marlowe", "Northwind", "Oakhaven", "Pemberton", "Quillon", "Redfern",
    "Silverbrook", "Thornbury", "Underhill", "Verity", "Westerly", "Yarrow",
)  # fmt: skip
BRAND_TAILS = ("Kitchen", "Home", "Outdoor", "& Co", "Studio")

QUARTER_HEADS = ("Old", "New", "Upper", "Lower", "North", "South")
QUARTER_TAILS = ("Mill", "Harbour", "Garden", "Canal", "Market", "Station", "Park")

ADJECTIVES = (
    "Golden", "Rustic", "Little", "Grand", "Classic", "Sunny", "Velvet", "Honest", "Bright", "Lucky", "Wild",
    "Corner", "Copper", "Royal", "Simple", "Twilight", "Maple", "Coastal", "Urban", "Heritage", "Secret",
    "Modern", "Amber", "Merry", "Hearty", "Silver", "Humble", "Breezy",
)  # fmt: skip


@dataclass(frozen=True)
class ExemplarWords:
    """A planted exemplar: its intent, kind, name, and (type, name) of each entity."""

    intent: int
    kind: Kind
    name: str
    entities: tuple[tuple[str, str], ...]


def _parse() -> tuple[tuple[str, ...], tuple[ExemplarWords, ...]]:
    intents: list[str] = []
    exemplars: list[ExemplarWords] = []
    for block in _TEXT.strip().split("\n\n"):
        head, *lines = block.splitlines()
        intents.append(head)
        for line in lines:
            kind, name, listed = (part.strip() for part in line.split("|"))
            typed = [entity.strip().split(":") for entity in listed.split(",")]
            entities = tuple((type_, entity) for type_, entity in typed)
            exemplars.append(ExemplarWords(len(intents) - 1, cast(Kind, kind), name, entities))
    return tuple(intents), tuple(exemplars)


INTENTS, EXEMPLARS = _parse()
