"""What the papers print, each with the data it was measured on; no number here is ours."""

from typing import NamedTuple


class Published(NamedTuple):
    """One line of a paper's table, figures as printed there ("" where it has none)."""

    system: str
    lve: str
    fdd: str
    eve: str = ""
    mve: str = ""
    diversity: str = ""


class Table(NamedTuple):
    """A published table: where it stands, what it was measured on, and in which units."""

    source: str
    data: str
    units: str
    rows: tuple[Published, ...]


BIWI = Table(
    "GLDiTalker, Table 1",
    "BIWI-Test-A: 24 sentences of 6 captured speakers, all heard in training; 25 fps",
    "The paper prints mm. By the code that the field shares, LVE is 1e-4 squared normalised units "
    "of BIWI's meshes (its lve.txt, 4996 vertices) and FDD 1e-5 of them (fdd.txt, 7784 vertices); "
    "the power of ten of Diversity is not stated in the text.",
    (
        Published("VOCA", "6.5563", "8.1816", diversity="0"),
        Published("MeshTalk", "5.9181", "5.1025", diversity="0"),
        Published("FaceFormer", "5.3077", "4.6408", diversity="0"),
        Published("CodeTalker", "4.7914", "4.1170", diversity="0"),
        Published("FaceDiffuser", "4.7823", "3.9225"),
        Published("TalkingStyle", "4.3646", "3.8361", diversity="0"),
        Published("GLDiTalker", "4.6440", "3.8474", diversity="8.2176"),
    ),
)
MEAD = Table(
    "ExpTalk, Table 1",
    "3D-MEAD: emotional speech reconstructed from video, as FLAME meshes",
    "LVE and MVE 1e-4, EVE 1e-5, FDD 1e-6; consistent with m^2. Which MVE it is remains open.",
    (
        Published("FaceFormer", "6.8722", "3.8110", "6.8028", "2.0250"),
        Published("CodeTalker", "6.8714", "3.9093", "6.7396", "1.9007"),
        Published("FaceDiffuser", "6.1975", "3.9476", "6.3530", "1.8882"),
        Published("UniTalker", "5.7877", "3.5193", "6.3427", "1.9628"),
        Published("EMOTE", "2.9881", "2.6517", "7.7131", "1.7965"),
        Published("EmoTalk", "5.3816", "3.6462", "7.0731", "1.7512"),
        Published("DEEPTalk", "3.2658", "2.2827", "7.0984", "1.5506"),
        Published("ExpTalk", "2.6947", "2.1790", "4.4064", "1.4891"),
    ),
)
VOCASET = Table(
    "ExpTalk, Table 1",
    "VOCASET: short neutral sentences, captured, as FLAME meshes",
    "LVE and MVE 1e-5, EVE 1e-6, FDD 1e-7; consistent with m^2. Which MVE it is remains open.",
    (
        Published("FaceFormer", "7.5879", "3.8452", "8.8491", "3.0653"),
        Published("CodeTalker", "7.9097", "3.8115", "9.0418", "3.1632"),
        Published("FaceDiffuser", "4.5374", "4.5054", "7.4725", "1.7558"),
        Published("UniTalker", "5.1653", "4.7602", "7.9655", "2.2663"),
        Published("EMOTE", "19.609", "3.7362", "21.802", "3.6182"),
        Published("EmoTalk", "6.1929", "3.1588", "9.7849", "2.3534"),
        Published("DEEPTalk", "22.191", "14.766", "24.294", "5.7721"),
        Published("ExpTalk", "4.4744", "3.1522", "5.4821", "2.5932"),
    ),
)
TABLES = (BIWI, MEAD, VOCASET)
OUR_DATA = "studio corpus, made by rules: synthetic speech and motion, not captured"
