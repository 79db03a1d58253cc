"""What follows from each kind of input: the stages' answers joined over one Work.

findings.py       a claim moved -> finding -> where it belongs
incidents.py      an incident began, changed or ended: its state and level
calling.py        what its level demands: clocks, room, calls, notices
telling.py        a message in the making; texts.py what is known when it is written; sending.py on its way
runs.py           a playbook's steps
clocks.py         dues added, moved, ended; agenda.py what happens when one comes
commands.py       a person said something
wounds.py         what was wrong before Forewarn came; reports.py what waits for the office, as shadow.py
judged.py         whether a call was worth it; unsure.py what may not have arrived
circumstances.py  other files, another figure of a service, or the word of its witness (witness.py)
"""
