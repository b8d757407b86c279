"""A seed in, sentences to finish with common sense, sayings and fixed phrases out."""

from __future__ import annotations

from everlearn.general.contract import Frame, GeneralSkill, Row, Topic, capital, table
from everlearn.records import Question

SAYINGS = table("""
    Actions speak louder than: words, A picture is worth a thousand: words, All that glitters is not: gold,
    An apple a day keeps the doctor: away, Every cloud has a silver: lining, Knowledge is: power,
    Curiosity killed the: cat, Honesty is the best: policy, Practice makes: perfect, Better late than: never,
    The pen is mightier than the: sword, Rome was not built in a: day, Look before you: leap,
    The grass is always greener on the other: side, Beauty is in the eye of the: beholder, Easier said than: done,
    Two heads are better than: one, Where there is smoke there is: fire, Once upon a: time, Ladies and: gentlemen,
    Twinkle twinkle little: star, Mary had a little: lamb, I think therefore I: am, Time is: money,
    Life is like a box of: chocolates, Love is: blind, To be or not to: be, Home sweet: home,
    The customer is always: right, Seeing is: believing, Happy New: Year, Merry: Christmas, Good: morning,
    The best things in life are: free, Blood is thicker than: water, Money does not grow on: trees,
    A friend in need is a friend: indeed, The early bird catches the: worm, No pain no: gain, Let it: be
""")

CHOICES = table("""
    Birds can: fly: read, Snow is: white: black, Fire is: hot: cold, Bees make: honey: milk, Dogs: bark: sing,
    We sleep: at night: at noon, Trees have: leaves: wheels, Cars have: wheels: legs, Ice is: cold: hot,
    We hear with: ears: noses, Stones are: hard: soft, Sugar is: sweet: sour, Elephants are: big: small,
    Mice are: small: big, The sun is: hot: cold, Night is: dark: bright, Cows eat: grass: stones,
    Fish can: swim: walk, Books have: pages: roots, Babies: cry: vote, Doctors help: patients: planets,
    Cats have: fur: feathers, Birds have: feathers: fur, Knives are: sharp: sweet, Rain is: wet: dry,
    Deserts are: dry: wet, Glass can: break: sing, Horses run: fast: slow, Coal is: black: white,
    Milk is: white: blue, Teachers work: in schools: in trees, Ships sail: on the sea: on the moon,
    Feathers are: light: heavy, Bakers bake: bread: bricks, Pilots fly: planes: houses, Lions eat: meat: paper,
    A square has: four sides: ten sides, Winter is: cold: hot, Gold is: a metal: a plant, Cows give: milk: wine
""")

TOOLS = table("""
    hit a nail: a hammer, sweep the floor: a broom, take a photo: a camera, see far stars: a telescope,
    dig a hole: a shovel, cross a river: a boat/a bridge, cut paper: scissors/a pair of scissors, cut bread: a knife,
    write a letter: a pen, open a door: a key, eat soup: a spoon, boil water: a kettle/a pot, call a friend: a phone,
    send an email: a computer, paint a picture: a brush/a paintbrush, travel by air: a plane/an airplane,
    climb a wall: a ladder, light a candle: a match, play chess: a chessboard, see small cells: a microscope,
    measure heat: a thermometer, see in the dark: a flashlight, tell the time: a clock/a watch, sew a shirt: a needle
""")

BODY = table("""
    see: eyes, hear: ears, smell: nose/noses, walk: feet/legs, taste: tongue/tongues, think: brain/brains,
    chew: teeth, breathe: lungs, kick: feet/legs, clap: hands, run: legs/feet, speak: mouth/mouths, bite: teeth
""")

PLACES = table("""
    books: a library, sick people: a hospital, trains: a train station, money: a bank, animals: a zoo, art: a museum,
    bread: a bakery, cars: a garage, flowers: a garden, clothes: a closet, medicine: a pharmacy, trees: a forest,
    sand: a beach, corn: a field, a judge: a court/a courtroom, a priest: a church, a chef: a kitchen/a restaurant,
    students: a school/a classroom, planes: an airport, movies: a cinema/a theater, milk: a refrigerator,
    tigers: a jungle/a zoo, camels: a desert, coffee: a cafe/a coffee shop, paintings: a museum/a gallery
""")

WORKERS = table("""
    baker: bakes bread, pilot: flies a plane, writer: writes books, driver: drives a car, painter: paints pictures,
    farmer: grows crops, builder: builds houses, singer: sings songs, gardener: grows plants, dancer: dances,
    fisherman: catches fish, photographer: takes photos, teacher: teaches students, tailor: makes clothes,
    poet: writes poems, doctor: treats patients, soldier: fights wars, hunter: hunts animals, cook: cooks food
""")


class SentenceCompletion(GeneralSkill):
    """How a sentence that everybody knows goes on."""

    def questions(self, seed: int) -> list[Question]:
        """Sayings, sensible endings, and what things are for."""
        return self.draw(_topics(), count=100, seed=seed)


def _topics() -> list[Topic]:
    race = (("Slow and steady wins the", "race"),)
    choices = [
        _choice(start, sense, nonsense, swapped) for start, sense, nonsense in CHOICES for swapped in (False, True)
    ]
    shown = (_choice("Grass is", "green", "pink", False), _choice("Rabbits can", "jump", "fly", True))
    workers = [(worker, deed, capital(deed)) for worker, deed in WORKERS]
    hair = (("dry our hair", "a hairdryer"),)
    return [
        Topic(
            SAYINGS,
            [
                Frame('Complete the saying: "{0} ___"', ('"{0} {1}"', '"{0} {1}."'), race),
                Frame('Complete: "{0} ..."', ('"{0} {1}."', '"{0} {1}"'), race),
                Frame("Say the whole saying: {0}...", ("{0} {1}.",), race),
            ],
        ),
        Topic(choices, [Frame("Choose: {0}?", ("{1}.",), shown), Frame("Which is right: {0}?", ("{1}.",), shown)]),
        Topic(
            TOOLS,
            [
                Frame("What do we use to {0}?", ("We use {1} to {0}.",), hair),
                Frame("What do you need to {0}?", ("You need {1} to {0}.",), (("ride to work", "a bike"),)),
            ],
        ),
        Topic(BODY, [Frame("What do we {0} with?", ("We {0} with our {1}.",), (("touch", "fingers"),))]),
        Topic(
            PLACES,
            [Frame("Where can you find {0}?", ("You can find {0} in {1}.",), (("a king", "a palace"),))],
        ),
        Topic(workers, [Frame("Who {1}?", ("A {0} {1}.",), (("king", "rules a country"),))]),
    ]


def _choice(start: str, sense: str, nonsense: str, swapped: bool) -> Row:
    ends = (nonsense, sense) if swapped else (sense, nonsense)
    return f"{start} {ends[0]} or {ends[1]}", f"{start} {sense}"
