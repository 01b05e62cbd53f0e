"""Pronunciations of English words in ARPAbet, without stress."""

from __future__ import annotations

SPOKEN = """
zero Z IH R OW, one W AH N, two T UW, three TH R IY, four F AO R, five F AY V, six S IH K S, seven S EH V AX N,
eight EY T, nine N AY N, yes Y EH S, no N OW, up AH P, down D AW N, left L EH F T, right R AY T, on AA N, off AO F,
stop S T AA P, go G OW
"""

OTHERS = """
about AX B AW T, again AX G EH N, air EH R, animal AE N AX M AX L, apple AE P AX L, arm AA R M, baby B EY B IY,
back B AE K, bag B AE G, ball B AO L, bath B AE TH, beach B IY CH, bed B EH D, bell B EH L, big B IH G, bird B ER D,
black B L AE K, blue B L UW, boat B OW T, book B UH K, boy B OY, bread B R EH D, bridge B R IH JH,
brother B R AH DH ER, brown B R AW N, busy B IH Z IY, butter B AH T ER, cake K EY K, camera K AE M ER AX, car K AA R,
cat K AE T, chair CH EH R, cheese CH IY Z, chicken CH IH K AX N, city S IH T IY, clean K L IY N, clock K L AA K,
cloud K L AW D, coffee K AO F IY, cold K OW L D, color K AH L ER, cook K UH K, corner K AO R N ER, cow K AW,
cup K AH P, dance D AE N S, day D EY, desk D EH S K, dinner D IH N ER, dog D AO G, door D AO R, dream D R IY M,
dress D R EH S, drink D R IH NG K, duck D AH K, ear IH R, early ER L IY, easy IY Z IY, egg EH G, engine EH N JH AX N,
evening IY V N IH NG, eye AY, face F EY S, family F AE M L IY, farm F AA R M, father F AA DH ER, feather F EH DH ER,
finger F IH NG G ER, fire F AY ER, fish F IH SH, flower F L AW ER, fly F L AY, food F UW D, foot F UH T,
forest F AO R AX S T, fresh F R EH SH, friend F R EH N D, game G EY M, garden G AA R D AX N, girl G ER L,
glass G L AE S, gold G OW L D, grass G R AE S, green G R IY N, hand HH AE N D, happy HH AE P IY, hat HH AE T,
head HH EH D, heart HH AA R T, heavy HH EH V IY, hello HH AX L OW, hill HH IH L, home HH OW M, horse HH AO R S,
house HH AW S, ice AY S, island AY L AX N D, jacket JH AE K AX T, job JH AA B, juice JH UW S, jump JH AH M P, key K IY,
king K IH NG, kitchen K IH CH AX N, lake L EY K, laugh L AE F, leaf L IY F, lemon L EH M AX N, letter L EH T ER,
listen L IH S AX N, long L AO NG, love L AH V, machine M AX SH IY N, map M AE P, measure M EH ZH ER, milk M IH L K,
minute M IH N AX T, money M AH N IY, moon M UW N, morning M AO R N IH NG, mother M AH DH ER, mouth M AW TH,
move M UW V, music M Y UW Z IH K, name N EY M, nature N EY CH ER, news N UW Z, north N AO R TH, ocean OW SH AX N,
office AO F AX S, orange AO R AX N JH, paper P EY P ER, park P AA R K, pencil P EH N S AX L, people P IY P AX L,
picture P IH K CH ER, pillow P IH L OW, plane P L EY N, pocket P AA K AX T, question K W EH S CH AX N, quick K W IH K,
radio R EY D IY OW, rain R EY N, river R IH V ER, road R OW D, room R UW M, rose R OW Z, salt S AO L T, school S K UW L,
shoe SH UW, shop SH AA P, silver S IH L V ER, sister S IH S T ER, sky S K AY, sleep S L IY P, smile S M AY L,
snow S N OW, song S AO NG, soup S UW P, spoon S P UW N, spring S P R IH NG, station S T EY SH AX N, storm S T AO R M,
street S T R IY T, sugar SH UH G ER, summer S AH M ER, sun S AH N, table T EY B AX L, tea T IY, teacher T IY CH ER,
thank TH AE NG K, thing TH IH NG, thumb TH AH M, tiger T AY G ER, time T AY M, toast T OW S T,
together T AX G EH DH ER, tooth T UW TH, toy T OY, train T R EY N, tree T R IY, uncle AH NG K AX L,
usual Y UW ZH UW AX L, valley V AE L IY, village V IH L AX JH, vision V IH ZH AX N, visit V IH Z AX T, voice V OY S,
walk W AO K, wall W AO L, warm W AO R M, watch W AA CH, water W AO T ER, weather W EH DH ER, week W IY K,
wheel W IY L, window W IH N D OW, winter W IH N T ER, woman W UH M AX N, wood W UH D, world W ER L D, yard Y AA R D,
yellow Y EH L OW, young Y AH NG, zebra Z IY B R AX, zoo Z UW
"""


def pronunciations(words: str) -> dict[str, tuple[str, ...]]:
    """Return the phonemes of each word of a list of words."""
    entries = (entry.split() for entry in words.split(","))
    return {word: tuple(phonemes) for word, *phonemes in entries}
