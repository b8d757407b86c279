"""A seed in, questions about geography, chemistry, animals, books and history out."""

from __future__ import annotations

from everlearn.general.contract import Frame, GeneralSkill, Topic, article, capital, table
from everlearn.records import Question

CAPITALS = table("""
    France: Paris, Japan: Tokyo, Egypt: Cairo, Peru: Lima, Canada: Ottawa, Kenya: Nairobi, Spain: Madrid,
    Norway: Oslo, Poland: Warsaw, Greece: Athens, Cuba: Havana, Russia: Moscow, China: Beijing,
    India: New Delhi, Chile: Santiago, Sweden: Stockholm, Iraq: Baghdad, Austria: Vienna, Portugal: Lisbon,
    Thailand: Bangkok, Germany: Berlin, Ireland: Dublin, Denmark: Copenhagen, Finland: Helsinki,
    Belgium: Brussels, Turkey: Ankara, Iran: Tehran, Vietnam: Hanoi, South Korea: Seoul, Indonesia: Jakarta,
    Argentina: Buenos Aires, Colombia: Bogotá, Venezuela: Caracas, Ecuador: Quito, Mexico: Mexico City,
    Jamaica: Kingston, Morocco: Rabat, Algeria: Algiers, Tunisia: Tunis, Libya: Tripoli, Sudan: Khartoum,
    Ethiopia: Addis Ababa, Uganda: Kampala, Ghana: Accra, Senegal: Dakar, Nigeria: Abuja, Australia: Canberra,
    New Zealand: Wellington, Pakistan: Islamabad, Nepal: Kathmandu, Bangladesh: Dhaka, Afghanistan: Kabul,
    Syria: Damascus, Lebanon: Beirut, Jordan: Amman, Saudi Arabia: Riyadh, Qatar: Doha, Ukraine: Kyiv/Kiev,
    Romania: Bucharest, Bulgaria: Sofia, Serbia: Belgrade, Croatia: Zagreb, Albania: Tirana, Iceland: Reykjavik,
    Estonia: Tallinn, Latvia: Riga, Lithuania: Vilnius, Malaysia: Kuala Lumpur, Cambodia: Phnom Penh,
    Mongolia: Ulaanbaatar, Taiwan: Taipei, Zimbabwe: Harare, Zambia: Lusaka, Angola: Luanda, Bolivia: La Paz,
    Uruguay: Montevideo, Paraguay: Asunción, Panama: Panama City, Georgia: Tbilisi, Armenia: Yerevan
""")

CONTINENTS = table("""
    France: Europe, Japan: Asia, Kenya: Africa, Brazil: South America, Canada: North America, China: Asia,
    Germany: Europe, Nigeria: Africa, Chile: South America, Mexico: North America, India: Asia, Spain: Europe,
    Ghana: Africa, Poland: Europe, Vietnam: Asia, Argentina: South America, Greece: Europe, Norway: Europe,
    Portugal: Europe, Morocco: Africa, Ethiopia: Africa, Colombia: South America, Nepal: Asia, Ireland: Europe,
    Hungary: Europe, Uganda: Africa, Mongolia: Asia, Venezuela: South America, Denmark: Europe, Algeria: Africa,
    Pakistan: Asia, Bolivia: South America, Tanzania: Africa, Austria: Europe, South Korea: Asia
""")

LANGUAGES = table("""
    Germany: German, France: French, Spain: Spanish, Japan: Japanese, Russia: Russian, China: Chinese/Mandarin,
    Portugal: Portuguese, Greece: Greek, Poland: Polish, Sweden: Swedish, Turkey: Turkish, Brazil: Portuguese,
    Mexico: Spanish, England: English, Egypt: Arabic, Finland: Finnish, Norway: Norwegian, Argentina: Spanish,
    Austria: German, Denmark: Danish, Hungary: Hungarian, Thailand: Thai, Vietnam: Vietnamese, Ukraine: Ukrainian,
    Chile: Spanish, Colombia: Spanish, Morocco: Arabic, Australia: English, Romania: Romanian, Korea: Korean
""")

LANDMARKS = table("""
    the Eiffel Tower: Paris, the Colosseum: Rome, Big Ben: London, the Kremlin: Moscow, the Louvre: Paris,
    the Statue of Liberty: New York City/New York, Red Square: Moscow,
    the Acropolis: Athens, the Brandenburg Gate: Berlin, the Forbidden City: Beijing, Notre-Dame: Paris,
    Buckingham Palace: London, Times Square: New York City/New York, the Golden Gate Bridge: San Francisco,
    the Opera House: Sydney, the Prado Museum: Madrid, the British Museum: London, the Parthenon: Athens,
    the Empire State Building: New York City/New York, Hollywood: Los Angeles, the Space Needle: Seattle
""")

ELEMENTS = table("""
    oxygen: O, hydrogen: H, iron: Fe, silver: Ag, carbon: C, sodium: Na, helium: He, nitrogen: N, copper: Cu,
    calcium: Ca, potassium: K, chlorine: Cl, lead: Pb, tin: Sn, zinc: Zn, sulfur: S, aluminum: Al, neon: Ne,
    mercury: Hg, uranium: U, nickel: Ni, magnesium: Mg, silicon: Si, phosphorus: P, lithium: Li, platinum: Pt,
    iodine: I, titanium: Ti, cobalt: Co, barium: Ba, boron: B, fluorine: F, argon: Ar, tungsten: W
""")

FORMULAS = table("""
    water: H2O, table salt: NaCl, carbon dioxide: CO2, methane: CH4, ammonia: NH3, sulfuric acid: H2SO4,
    hydrochloric acid: HCl, ozone: O3, glucose: C6H12O6, hydrogen peroxide: H2O2, carbon monoxide: CO
""")

ANIMALS = table("""
    dog: mammal, snake: reptile, sparrow: bird, shark: fish, lizard: reptile, cat: mammal,
    penguin: bird, tuna: fish, turtle: reptile, horse: mammal, parrot: bird, crocodile: reptile, salmon: fish,
    bat: mammal, owl: bird, trout: fish, cow: mammal, duck: bird, monkey: mammal, rabbit: mammal,
    pigeon: bird, dolphin: mammal, mosquito: insect, goose: bird, squirrel: mammal, camel: mammal, falcon: bird
""")

BOOKS = table("""
    Hamlet: William Shakespeare, Pride and Prejudice: Jane Austen, Oliver Twist: Charles Dickens,
    The Odyssey: Homer, War and Peace: Leo Tolstoy, Frankenstein: Mary Shelley, 1984: George Orwell,
    Moby-Dick: Herman Melville, Dracula: Bram Stoker, Les Misérables: Victor Hugo, Macbeth: William Shakespeare,
    The Divine Comedy: Dante Alighieri, The Great Gatsby: F. Scott Fitzgerald, Walden: Henry David Thoreau,
    Romeo and Juliet: William Shakespeare, Jane Eyre: Charlotte Brontë, A Tale of Two Cities: Charles Dickens,
    Crime and Punishment: Fyodor Dostoevsky, The Iliad: Homer, Animal Farm: George Orwell,
    Great Expectations: Charles Dickens, Wuthering Heights: Emily Brontë, The Republic: Plato, Ulysses: James Joyce,
    The Old Man and the Sea: Ernest Hemingway, To Kill a Mockingbird: Harper Lee, The Time Machine: H.G. Wells,
    King Lear: William Shakespeare, The Origin of Species: Charles Darwin, The Prince: Niccolò Machiavelli,
    David Copperfield: Charles Dickens, Othello: William Shakespeare, The Wealth of Nations: Adam Smith
""")

INVENTIONS = table("""
    the telephone: Alexander Graham Bell, the light bulb: Thomas Edison, the printing press: Johannes Gutenberg,
    the airplane: the Wright brothers, the steam engine: James Watt, the World Wide Web: Tim Berners-Lee,
    dynamite: Alfred Nobel, the phonograph: Thomas Edison, the cotton gin: Eli Whitney, the battery: Alessandro Volta,
    the telegraph: Samuel Morse, the polio vaccine: Jonas Salk, the diesel engine: Rudolf Diesel,
    calculus: Isaac Newton, the lightning rod: Benjamin Franklin, the saxophone: Adolphe Sax, Braille: Louis Braille
""")

YEARS = table("""
    World War II: end: 1945, World War I: end: 1918, the American Civil War: end: 1865, the Cold War: end: 1991,
    the Vietnam War: end: 1975, the Korean War: end: 1953, World War II: begin: 1939, World War I: begin: 1914,
    the American Civil War: begin: 1861, the French Revolution: begin: 1789, the Russian Revolution: begin: 1917,
    the Vietnam War: begin: 1955, the Great Depression: begin: 1929, the Korean War: begin: 1950,
    the Great Fire of London: happen: 1666, the moon landing: happen: 1969, the Battle of Hastings: happen: 1066,
    the Boston Tea Party: happen: 1773, the Battle of Waterloo: happen: 1815, the Battle of Gettysburg: happen: 1863
""")

PAST = {"end": "ended", "begin": "began", "happen": "happened"}

BRIEF = "Answer in one short sentence. "


class WorldFacts(GeneralSkill):
    """What most people learn at school about the world."""

    def questions(self, seed: int) -> list[Question]:
        """Several hundred facts, each in one of the phrasings of its topic."""
        return self.draw(_topics(), count=80, seed=seed)


def _topics() -> list[Topic]:
    capital_is = ("The capital of {0} is {1}.",)
    italy = (("Italy", "Rome"),)
    capitals = [
        Frame("{1} is the capital of which country?", ("{1} is the capital of {0}.",), italy),
        Frame("Complete: The capital of {0} is", capital_is, italy),
        Frame("What is the capital of {0}?", capital_is, italy),
        Frame(BRIEF + "What is the capital of {0}?", (*capital_is, "{0}'s capital is {1}.")),
        Frame("Complete the sentence: The capital of {0} is", capital_is),
    ]
    continents = [
        Frame(
            "On which continent is {0}?",
            ("{0} is in {1}.",),
            (("Peru", "South America"), ("Italy", "Europe")),
        )
    ]
    languages = [
        Frame(
            "What language is spoken in {0}?",
            ("The language spoken in {0} is {1}.",),
            (("Italy", "Italian"),),
        ),
        Frame("Complete: In {0}, people speak", ("In {0}, people speak {1}.",), (("Italy", "Italian"),)),
    ]
    return [
        Topic(CAPITALS, capitals),
        Topic(CONTINENTS, continents),
        Topic(LANGUAGES, languages),
        _places(),
        *_science(),
        *_people(),
    ]


def _places() -> Topic:
    tower = (("the Leaning Tower", "Pisa", "The Leaning Tower"),)
    return Topic(
        [(place, city, capital(place)) for place, city in LANDMARKS],
        [
            Frame("In which city is {0}?", ("{2} is in {1}.",), tower),
            Frame("Where is {0}?", ("{2} is located in {1}.", "{2} is in {1}."), tower),
        ],
    )


def _science() -> list[Topic]:
    bear_and_robin = (("a bear", "mammal", "A bear"), ("a robin", "bird", "A robin"))
    animals = [(article(animal), kind, capital(article(animal))) for animal, kind in ANIMALS]
    formula = ("The chemical formula of {0} is {1}.",)
    symbol = ("The chemical symbol for {0} is {1}.",)
    return [
        Topic(
            ELEMENTS,
            [
                Frame("What is the chemical symbol for {0}?", symbol, (("gold", "Au"),)),
                Frame("Complete: The chemical symbol for {0} is", symbol, (("gold", "Au"),)),
            ],
        ),
        Topic(FORMULAS, [Frame("What is the chemical formula of {0}?", formula, (("ethanol", "C2H6O"),))]),
        Topic(animals, [Frame("What kind of animal is {0}?", ("{2} is a {1}.",), bear_and_robin)]),
    ]


def _people() -> list[Topic]:
    years = [(event, verb, year, capital(event), PAST[verb]) for event, verb, year in YEARS]
    gulf = (("the Gulf War", "end", "1991", "The Gulf War", "ended"),)
    inventions = [(thing, person, capital(thing)) for thing, person in INVENTIONS]
    radio = (("the radio", "Guglielmo Marconi", "The radio"),)
    return [
        Topic(BOOKS, [Frame('Who wrote "{0}"?', ('"{0}" was written by {1}.',), (("Emma", "Jane Austen"),))]),
        Topic(
            inventions,
            [
                Frame("Who invented {0}?", ("{2} was invented by {1}.",), radio),
                Frame("Complete: {2} was invented by", ("{2} was invented by {1}.",), radio),
            ],
        ),
        Topic(years, [Frame("In what year did {0} {1}?", ("{3} {4} in {2}.",), gulf)]),
    ]
