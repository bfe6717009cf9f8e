"""Chaos, measured: our treasury and the usual snippet on the same bad days.

Each scenario opens a short (and, for some, a second one that stays), closes it wholly or in steps, and asks how much
of the freed USDT reached the spot wallet. Real are the controller, its journal (SQLite), the live venue and ccxt,
which speaks HTTP to the sandbox exchange on loopback. Freqtrade's part (futures orders, trades as it reports them) is
played by the scenario. Time is virtual: waits, lags and price paths take no real time. Everything follows from class
and seed.

Classes
-------
calm       nothing goes wrong at the exchange
volatile   the price rises 0.5 %/s against an open cross short while the other one is closed, so that what can be
           withdrawn shrinks between read and send
transient  429 and 418 with Retry-After, 503 with and without effect, 500 and 502 as HTML, -1007, -1001, -1008
lost       applied and closed, closed and not applied, a cut body, 200 with an empty body; a history up to 30 s late

In every class the bot may die at any step: before or after each journal call and each request. The journal object, the
controller and the venue are then thrown away and made anew. The snippet dies at the same share of its own steps.

In some of them Freqtrade's orders rest in the book and are filled in parts, and in some the exchange's account shows
positions up to 7 s late (not in volatile, and not where a short is near its liquidation).

The stream
----------
Each scenario is played once for each behaviour of the exchange's fill stream, with all else the same. Its messages are
the sandbox's own and read as the bot reads them; between any two steps of the bot, and while it waits, they may come.

none        nothing is told
prompt      within 0.2 s
killed      silent from one of the first fills on, for 5 s to 10 min, and what happened meanwhile is never told
delayed     by 1 s to 10 min: past the next loop, a restart, the end of the trade
duplicated  each up to three times more within two minutes
reordered   shuffled within 20 s, across orders and pairs
all         all of that, a fifth lost, and among it orders of other people and pairs, sums that go back, fields that are
            missing, empty, negative, infinite or far too large, and messages that are none

The outcome must be the one without a stream: the same shorts and the same hedges in the same state, exactly; no intent
without an outcome; our coins the same to the venue's smallest order; USDT in the futures wallet the same to 2 USDT, a
tenth of the stress buffer (price's own) and 0.05 % of the notional; USDT and coins together the same to 2 USDT and
0.05 % of the notional; in volatile also what the price has moved, for a fill at another time has another price. And
every behaviour is judged by itself as below: nothing doubled, everything delivered, legs equal.

unhedged    USDT-seconds for which the legs differed; mean. This is what a stream is for, and all that it may change

The snippet: when a short was closed, read `free` of the futures balance and send 99 % of it with ccxt's `transfer`; on
any exception sleep 2 s and try again, three times in all. It places no spot orders.

What is measured, from the sandbox's own books, never from our journal
----------------------------------------------------------------------
due            what should leave the futures wallet: what the exchange lets go, less the buffer that lets the cross
               shorts which stay live through `stress_move`, less `keep_usdt`; with `fund_entries: false` at most what
               the exits freed, for the rest is the user's own
delivered      swept less topped up since the first exit, at most what was due / what was due, once faults have ended
               and the controller has been run until it is quiet
left           due and not delivered at the end, in % of what was due: mean and worst scenario (fewer than 10 USDT
               due are not counted)
at send        what was still due the moment after a sweep took effect, in % of what was due the moment before: how much
               the sweep that went through left to later ones; the mean over sweeps
taken          USDT moved at the end that should have stayed: buffer, `keep_usdt` or the user's own
doubled        transfers: more than one took effect for one intent (the port's request for us, one exit for the
               snippet), or two of one direction had the very same amount, or, for us, one took effect of which more
               than a tolerance was not due when it did. Orders: two filled under one client id, or one filled that
               took the spot leg past what the short wanted. For the snippet, which reads again before it sends
               again, a second transfer takes 99 % of whatever is there by then
liquidated     scenarios in which the exchange liquidated a short that should have stayed
requests       per scenario, from the first exit until the end; ours keep both legs equal and look every few seconds
seconds        virtual, from an exit to the last transfer that took effect before the next exit; mean

Violations (exit code 1): a doubled transfer or order of ours; less than 100 % delivered, that is `min_usdt` or more
still due (or missing there, after top-ups); more left than 0.1 % in calm or 1 % in volatile; the user's coins touched;
legs unequal; an outcome unknown at the end; an exception out of the controller; sandbox books that don't balance;
another outcome than without a stream.
"""
