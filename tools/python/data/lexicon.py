"""The words of make_tagging.py, and how English inflects them.

In each list the first words are the most frequent ones. A verb whose past is irregular is written base/past/participle.
Many words are in several lists on purpose: what they are is told by their place in the sentence alone.
"""

# Nouns that are verbs as well; their plural is the verb's third person.
NOUNS_AND_VERBS = """
watch light walk plant water cook dance play paint guard ship fish call race train name sign mark hand place
report judge point face park smile dream hope plan drink talk help show test duck ring post stamp record match press
turn rest love need cause form answer brush camp cover crash dress drop drum field film fly fool frame guide hammer
harvest hunt iron joke kick knock lock map milk mine mirror mistake nail number offer order pack pass pump question
rain rule sail salt search shelter shout skate sketch snack snow sort spark spot stage step stitch store storm surprise
trade travel trick trust visit voice vote whisper whistle wish work wonder wrap
""".split()
NOUNS = """
dog man woman child house car boy girl friend teacher river city tree book table door window king queen horse
doctor farmer bird cat garden song letter road boat village wall picture stone bridge cup apple flower kitchen
chair school song star cloud forest mountain island story hat coat shoe box key clock lamp bed floor roof tower
market shop baker painter sailor soldier student driver writer singer hunter neighbour brother sister mother father
uncle aunt cousin baby lady lord knight prince pirate captain sheep cow goat hen mouse rabbit fox wolf bear lion
tiger elephant monkey snake frog bee spider butterfly owl eagle crow goose swan whale shark lake sea beach hill
valley desert field path corner gate fence barn castle church temple palace museum theatre station airport harbour
engine wheel rope basket bottle bag bucket blanket pillow candle carpet curtain drawer ladder shelf spoon fork knife
plate bowl kettle oven pencil paper page word poem novel newspaper magazine ticket coin jewel crown sword shield
violin piano guitar trumpet drummer lawyer nurse priest scientist astronomer carpenter gardener librarian mayor
orchard meadow puddle thunderstorm avalanche lighthouse telescope microscope umbrella wheelbarrow accordion
chandelier dungeon hedgehog kangaroo labyrinth monastery nightingale obelisk parchment quarry raspberry sundial
tapestry vineyard walnut zeppelin
""".split()
IRREGULAR_PLURALS = {
    "man": "men",
    "woman": "women",
    "child": "children",
    "sheep": "sheep",
    "mouse": "mice",
    "goose": "geese",
    "wolf": "wolves",
    "knife": "knives",
    "shelf": "shelves",
    "fish": "fish",
}
NAMES = """
Anna Tom Maria John Lucy Peter Emma David Sara Paul Nina Mark Olga Karl Ida Rose Will May Grace Jack Bill Frank Iris
Hope Amir Chen Fatima Kofi Lena Yusuf Priya Mateo Ingrid Hugo Zoe Omar Akiko Bruno Clara Dmitri Elif Farid Greta
Hassan Isla Jonas Keiko Leila Magnus Noor Otto Paloma Quentin Rafael Sven Tariq Ursula Viktor Wanda Xavier Yara Zeno
""".split()
INTRANSITIVE = """
run/ran/run walk sleep/slept/slept laugh sing/sang/sung dance smile swim/swam/swum fall/fell/fallen wait cry play
rest work talk dream jump arrive fly/flew/flown shout race cook sail whistle travel fish skate whisper bark
stumble vanish snore tremble hesitate giggle yawn faint
""".split()
TRANSITIVE = """
see/saw/seen watch like love call paint help find/found/found take/took/taken make/made/made hold/held/held
light/lit/lit plant water cook guard name carry push pull open/opened/opened clean dry visit follow chase hit/hit/hit
break/broke/broken build/built/built buy/bought/bought sell/sold/sold draw/drew/drawn read/read/read
write/wrote/written eat/ate/eaten drink/drank/drunk need test sign mark judge face record match press turn cover
dress drop film hunt iron kick lock milk empty warm cool slow clear trust question order search frame wrap fool brush
hammer nail sketch stitch pack surprise admire repair discover describe examine polish borrow
""".split()
MOTION = "go/went/gone walk run/ran/run come/came/come drive/drove/driven travel sail race return march".split()
SAYING = "say/said/said think/thought/thought know/knew/known hope dream believe report answer shout".split()
WANTING = "want try plan hope need like love offer decide begin/began/begun forget/forgot/forgotten".split()
TELLING = "tell/told/told ask order help teach/taught/taught force invite allow".split()
GIVING = "give/gave/given show sell/sold/sold offer send/sent/sent bring/brought/brought throw/threw/thrown".split()
PERCEIVING = "see/saw/seen watch hear/heard/heard make/made/made let/let/let".split()

ADJECTIVES = """
old new small big young good red green tall dark fast hard open clean dry warm cool empty slow clear quiet
happy sad long short kind wise brave poor rich round cold hot heavy soft loud late early deep wide narrow strange
broken painted hidden lost tired running sleeping shining singing burning falling frozen written locked polished
clever proud gentle lazy hungry thirsty angry calm bright pale dusty muddy rusty golden silver wooden enormous tiny
ancient modern foreign famous secret silent crooked hollow slippery transparent magnificent melancholy
""".split()
ADVERBS = "quickly slowly fast hard well late early often quietly loudly gladly badly again together here there".split()
ADVERBS += "carefully happily rarely suddenly patiently bravely secretly gracefully reluctantly".split()
FREQUENCIES = "often never always rarely sometimes".split()
DEGREES = "very too quite rather".split()
PLACES = "in on near behind under with without by from over beside".split()
MODALS = "can will may must could would should might".split()
CONJUNCTIONS = "because when while if although".split()
# Where a noun can be that is a modal as well: his will, a can.
NOUNS_AND_MODALS = "can will might must".split()

DOUBLING = set("run swim hit let cut sit plan drop wrap".split())  # the last letter, before -ed and -ing
VOWELS = "aeiou"


def plural(noun):
    if noun in IRREGULAR_PLURALS:
        return IRREGULAR_PLURALS[noun]
    return with_s(noun)


def with_s(word):
    if word.endswith(("s", "x", "z", "ch", "sh")) or word in ("go", "do"):
        return word + "es"
    if word.endswith("y") and word[-2] not in VOWELS:
        return word[:-1] + "ies"
    return word + "s"


def with_ed(base):
    if base.endswith("e"):
        return base + "d"
    if base.endswith("y") and base[-2] not in VOWELS:
        return base[:-1] + "ied"
    return (base + base[-1] if base in DOUBLING else base) + "ed"


def with_ing(base):
    if base.endswith("e") and not base.endswith(("ee", "ye", "oe")):
        return base[:-1] + "ing"
    return (base + base[-1] if base in DOUBLING | {"forget", "begin"} else base) + "ing"


class Verb:
    """The forms of a verb that is written as in the lists above."""

    def __init__(self, written):
        parts = written.split("/")
        self.base = parts[0]
        self.past = parts[1] if len(parts) == 3 else with_ed(self.base)
        self.participle = parts[2] if len(parts) == 3 else self.past
        self.third_person = with_s(self.base)
        self.progressive = with_ing(self.base)
