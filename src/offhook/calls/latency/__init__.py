"""How long callers wait for a reply, stage by stage (I4): from the end of what they said to the
first 20 ms of the answer.

    media    a `Stopwatch` goes with each reply and is stopped where the line, the recogniser, the
             brain and the synthesiser have done their part; the agent's turn keeps the times
    web      of one call, turn by turn; of a number or an agent, day by day

`rules` says what each stage is.
"""
