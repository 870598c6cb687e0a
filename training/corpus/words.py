"""Our own word lists: everyday words, rich in lip closures, rounding and varied vowels."""

NAMES = """Abby Barbara Bobby Boris Fiona Frank Georgia Hugo Joel Joy Maeve Mabel Martha Milo Moira
Naomi Oscar Paloma Peter Phoebe Quentin Ruby Samuel Sophie Theo Tom Una Vera Victor Viola Walter
Wanda Wilma Yusuf Zoe""".split()

NOUNS = """apple arm avenue baby badge balloon bamboo barn basket bathroom beach bear bedroom bell
bicycle bird blanket boat bomb bonfire book bottle bowl box boy bread bridge broom brother bubble
bucket bulb bump bush butter button cabin cable camel camera camp candle captain carpet castle cave
chair cheese cherry chimney choir church cloud club coffee comb computer couch cow crab crumb cup
curtain dolphin door dream drum dwarf eagle ear elbow elephant elevator engine envelope evening
family farm feather fence fever film finger fire fish flame floor flower foam forest fork fountain
fox frog fruit garage garden ghost giraffe glove goose grape guitar hammer harbour hat heaven hedge
helmet hill hole homework honey hoof horse hospital hour house ice island jacket jam jewel job
juice kettle king kitchen knife ladder lamb lamp language leaf lemon letter library lightning limb
lion lip lobster loom love machine magic map marble market measure medal melody memory milk mirror
money monkey moon morning mother mountain mouse mouth movie mud mushroom music nephew night nurse
oath ocean office onion opera orange oven owl oyster palm pan pansy paper parrot party path peach
pebble pen pepper piano picture pig pillow pilot pipe pizza plan plum pocket poem pond pool poppy
porch potato powder problem pumpkin puppet puppy purple queen rabbit radio rain rhubarb ribbon rice
river road roof room rope rose rubber sailor salmon sand school sea shadow sheep shelf ship shoe
shop shoulder shovel silver sister sleeve smile smoke snow soap sofa soup spoon spring stable stamp
star stone storm stove street summer swamp swan table teapot teeth temple thief thimble thought
thumb thunder tiger tomato tooth tower toy train treasure tree trumpet truth tub tulip tunnel
umbrella uncle valley van vapour vase velvet village vision voice volcano vowel voyage wagon
wallpaper warehouse watch water wave weather web whale wheel whisper whistle wife willow window
wing winter wolf woman wood wool word world yard year yellow youth zebra zoo""".split()

VERBS = """admire approve avoid balance beg believe blame bless boil borrow bother bring brush build
bump bury buy call carry catch change charm chase chew choose clap climb comb combine compare
complete cook cover cure cut deliver describe discover draw dream drive drop dump embrace employ
empty enjoy examine excuse fear feed feel fetch film find fix flip fold follow forgive form frame
gather give grab greet guess hammer harm hate heap hear help hide hope hug hum imagine improve
inform invite join jump keep kiss know lead leave lift listen_to lose love lump map mark measure
meet melt mend mention miss mix move name need notice obey offer open order own pack paint pass
pay pick plan plant please plough point polish pour praise prepare press promise prove pull pump
push put raise reach remember remove repair reply_to rub ruin save say scrub see sell send serve
shape share shave show shove sip smell smooth snap solve spare spot stamp steam stop surprise swap
sweep take teach tempt thank throw touch trap trim trouble trust use value visit voice want warm
warn wash watch wear weigh welcome whip whisper wipe wish worry_about wrap""".split()

ADJECTIVES = """able amber ample awful bad bare beautiful big bitter black blue bold bossy brave
brief bright broad brown bumpy busy calm careful charming cheap clever clumsy cold comfortable cool
creamy damp dark deep delicate dim dumb eager early easy empty enormous equal fair false famous fast
few fierce final fine firm five flat foggy foolish fragile fresh fresh_baked full funny furry gentle
giant glum gold good grey grim grumpy happy heavy hollow honest huge humble humid icy ivory jolly
kind large lazy light little lonely long loud loyal lucky lumpy mellow merry mild modern moody naive
narrow neat new noisy obvious odd old open orange oval pale perfect pink plain playful plump poor
precious pretty proud pure purple quick quiet rapid rare raw ripe robust rough round royal sad safe
sharp shiny shrewd shy silky silver simple slim slow small smart smooth smug soft solemn sour steep
stiff strong stubborn subtle sweet swift tall tame thick thin thirsty thoughtful timid tiny tough
twelve ugly unusual usual vague vain valuable vast violet warm weak weary weird wet white whole wide
wild wise wobbly wonderful wooden worn yellow young""".split()

ADVERBS = """above always anywhere bravely calmly carefully everywhere forever often maybe
much_faster never now nowhere once quietly rarely slowly somehow suddenly together tomorrow twice
very_soon warmly with_love without_a_word yesterday""".split()

PLACES = """above_the_shop at_home at_the_beach behind_the_barn below_the_bridge beside_the_pond
by_the_river from_above in_Bombay in_my_room in_Paris in_the_swamp near_the_chapel on_the_boat
over_the_valley under_the_moon up_the_mountain""".split()

EXCLAMATIONS = """Ah Alas Behold Bravo Hello Hey Hmm Hurrah My_my No Oh Okay Oops Please Right
Uh-huh Well What Whoa Why Wow Yes""".split()

# {n} noun, {v} verb, {a} adjective, {d} adverb, {p} place, {w} name, {x} exclamation, {i} number.
TEMPLATES = (
    "The {a} {n} and the {a} {n} {v} me {d}.",
    "{x}! {w}, did you {v} my {n}?",
    "{w} and {w} want to {v} the {n} {p}.",
    "We {v}, they {v}, but nobody will {v} the {a} {n}.",
    "Maybe I should {v} a {a}, {a} {n}.",
    "Put the {n} {p}, please, and {v} the {n}.",
    "{w} paid {i} pounds for my {a} {n}.",
    "Who would {v} the {n} of {w}? {x}, probably {w}.",
    "If you {v} the {n}, I will {v} you {d}.",
    "{x}, {x}, what a {a} {n}!",
    "Both of them {v} {i} {n}s {p}, every {n}.",
    "I have never, ever {d} seen such a {a} {n}.",
    "Bring me {i} {n}s, {i} {n}s, and a {a} {n}.",
    "My mother used to {v} {w} {p}, before the {n} came.",
    "{n}, {n}, {n}, {n}.",
    "The problem is simple: {w} must {v} the {n}, and we must {v} {w}.",
    "No. {x}. I said a {a} {n}, not a {n}!",
    "Perhaps we may {v} it {d}, perhaps we may not.",
    "You and I {v} {a} {n}s when the {n} is {a}.",
    "Why? Because I {v} you. Because you {v} me.",
    "Boom! The {n} fell {p}, and {w} began to {v}.",
    "Listen. The {n} is {a}. The {n} is {a}. Now {v}!",
)

NUMBERS = """one two three four five six seven eight nine ten eleven twelve twenty fifty
a_hundred""".split()

# Other languages: plain words strung together; the phones matter here, not the sense.
FOREIGN = {
    "gmw/de": """aber Abend Apfel Arbeit auch Auge Baum Bett Bibliothek bitte Blume böse Brot Brücke
        Buch fahren Familie fünf Freund früh für Garten gehen Geschichte glauben grün Haus heute Himmel
        Hof Hund hören ich immer Juli kommen König Küche Lampe Leben Licht Löffel machen Mädchen Mann
        möchte Morgen müde Mutter nach Nacht oben Ofen Pferd Platz Problem Regen rufen sagen schön
        Schule sehr singen Sommer spielen Straße Stuhl Tür über Uhr Vater viel Vogel vom Wasser warum
        Welt wir Woche Zeit zwölf""",
    "roa/es": """abrir abuelo agua ahora amigo amor árbol bailar barco beber blanco boca bueno caballo
        cabeza calle cama campo cantar ciudad comida cuándo día dormir escuela familia favor feliz
        fuego gato gente grande guerra hablar hermano hijo hombre hoy huevo jamón joven jugar leche
        libro limpio lluvia luna madre mañana mapa mesa mover mujer mundo música noche nombre nuevo
        pájaro palabra pan perro pobre puerta pueblo rojo siempre sol tiempo trabajo verano verde
        viento viejo vino vivir volver zapato""",
    "roa/fr": """amour année aimer après aujourd'hui beau beurre blanc boire bonjour bouche boulanger
        chambre chanter cheval ciel coeur demain deux dimanche eau école enfant faire famille femme
        fenêtre feu fleur forêt frère gâteau grand heure hiver homme jamais jardin jour langue livre
        lumière lundi lune main maison manger matin mer mère monde montagne mot musique neige nuit
        oiseau ombre papa parler petit peur pluie pomme porte pouvoir printemps rêve robe rouge rue
        soleil sous table temps tomber travail vent vie ville vin voiture vouloir voyage yeux""",
    "roa/it": """acqua albero amico amore andare anno bambino bello bene bocca bosco braccio buono
        camera campo cane cantare casa cavallo cibo cielo città colore cuore donna dormire dove estate
        famiglia felice figlio finestra fiore fiume forma forse fuoco gatto giorno giovane grande
        guerra inverno isola latte lavoro libro luce luna madre mai mano mare mattina mela mondo monte
        musica neve nome notte nuovo occhio ombra padre pane parlare parola pioggia popolo porta
        problema rosso scuola sempre sera sole sopra strada tavolo tempo terra uomo uovo vecchio vento
        verde via vino vita voce""",
    "zle/ru": """август автобус бабушка белый берег большой брат бумага вечер ветер вода волк вопрос
        время всегда город гость гриб девочка дело день дерево дом дорога друг дым женщина жизнь завтра
        зима имя книга комната корабль кошка красный лампа лето лимон лодка луна любовь мальчик мама
        машина мир много молоко море мост музыка мы небо ночь облако обувь огонь окно осень папа песня
        письмо поезд поле помощь птица рыба сахар слово собака солнце стол суп туман улица утро хлеб
        цветок человек что школа яблоко""",
    "roa/pt-BR": """abraço água amanhã amigo amor avó azul barco beber boca bom branco cabeça cachorro
        café caminho campo cantar casa cavalo céu chuva cidade comer coração dia dormir escola falar
        família feliz festa filho floresta fogo gato homem hoje irmão janela jovem lâmpada leite livro
        longe lua mãe manhã mapa mar menino mesa mulher mundo música nada noite nome nuvem olho pai
        palavra pão pássaro pedra pequeno ponte porta povo primavera rio roupa sempre sol sombra tarde
        tempo terra trabalho uva velho vento verde vida vinho voar voz""",
    "zlw/pl": """babcia barwa biały brat brzeg chleb chmura ciepło cisza czarny czas człowiek deszcz dom
        droga drzewo dziecko dzień głowa góra głos gwiazda imię jabłko jesień jutro kawa kobieta kolor
        kot koń książka kwiat lampa las lato list ludzie mama mapa miasto miłość mleko morze most mowa
        muzyka nazwa niebo noc nowy obiad ogień okno ojciec pamięć pan papier pies pióro pole pomoc
        prawda ptak rano ryba rzeka serce siostra słońce słowo szkoła śnieg światło tata uwaga wiatr
        wieczór wiosna woda wujek zima żaba""",
    "gmw/nl": """aap altijd appel avond baby berg bloem boek boom boot boter brief broer brood brug buik
        buurman dag deur dorp droom duif eiland familie feest fiets film geel geluk goed groen groot
        haven hemel herfst hond hoofd huis ijs jongen kaas kamer kind koffie koning krab lamp leven
        lief lucht maan maandag meer melk mens moeder mond morgen muis muur muziek naam nacht neus
        nieuw olifant ook oor opa papier paard peper plein poes regen rood schip school sneeuw soep
        stem straat tafel tijd trein tuin uur vader vis vlam vogel voor vrouw vuur water weg wereld
        wind woord zee zomer zon zus""",
}  # fmt: skip

PHRASE_ENDS = (",", ",", ".", ".", "?", "!", ";")
