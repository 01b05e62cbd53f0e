"""English stop words: function words, which are excluded from synonym replacement."""

from __future__ import annotations

STOP_WORDS = frozenset(
    """
    a an the this that these those some any each every either neither both all half no such what which whose other
    another same own few fewer little less least many more most much several enough one ones
    i me my mine myself we us our ours ourselves you your yours yourself yourselves he him his himself she her hers
    herself it its itself they them their theirs themselves who whom whoever whatever whichever somebody someone
    something anybody anyone anything everybody everyone everything nobody none nothing
    am is are was were be been being do does did doing done have has had having can could may might must shall should
    will would ought need dare let
    about above across after against along among around as at before behind below beneath beside between beyond by down
    during except for from in inside into near of off on onto out outside over past per since through throughout till to
    toward towards under until up upon via with within without
    and but or nor so yet if unless because although though while whereas whether than
    when where why how whenever wherever here there then now again once ever never always often just only even still
    already also too very quite rather almost perhaps maybe not yes
    dont doesnt didnt isnt arent wasnt werent cant couldnt wouldnt shouldnt wont im ive youre hes shes theyre thats s t
    don doesn didn isn aren wasn weren couldn wouldn shouldn won ll re ve m d
    """.split()  # noqa: SIM905 - to be read
)
