/* Taking a table over (src/cache/close.c), every interleaving of it.
 *
 * Two processors' worth of the truth: a worker runs restartable sequences on its processor's table (pop and push of one list of
 * NODES nodes), the closer, on another processor, closes the table, asks for the barrier, takes the list away, gives the nodes back
 * some other way (here: into `given`), and opens the table again. A preemptor stands for everything that makes the kernel
 * restart a sequence at any instruction.
 *
 * The processor may delay the worker's stores (a store buffer of one store, which the worker itself sees): what the barrier is for
 * is that no sequence that loaded the old entry is still running AND that its stores are seen. With -DNO_FENCE the closer goes on
 * without it, with -DNO_RESTART the sequences are not restarted: both must be found to lose or double a node.
 *
 * Held by the assertions: each node is in exactly one place at any moment at which somebody looks. */

#define NODES 2
#define NIL 0
#define CLOSED 0
#define REAL 1

byte entry = REAL;        /* what the processor's entry in sequence.tables leads to */
byte head = 1;            /* of the real table's list: nodes are numbered from 1 */
byte next[NODES + 1];     /* links */
byte owner[NODES + 1];    /* 0: in the list; 1: the worker's; 2: the closer's; 3: given back */
bool inside;              /* the worker is between the store of rseq_cs and the commit */
bool worker_done;
bool restart;             /* the kernel will send it to the abort address */

/* The worker's store buffer: a commit to `head` that others do not see yet. */
bool buffered;
byte buffer;

inline drain()
{
    if
    :: buffered -> head = buffer; buffered = false
    :: else
    fi
}

/* The worker reads its own buffered store. */
inline read_head(into)
{
    if
    :: buffered -> into = buffer
    :: else -> into = head
    fi
}

inline commit(value)
{
    drain();            /* one store of buffer: the older one leaves first */
    buffered = true;
    buffer = value
}

/* What happens between two instructions of a sequence: the kernel may have preempted it. */
#ifdef NO_RESTART
#define INSTRUCTION(label) skip
#else
#define INSTRUCTION(label) if :: restart -> restart = false; goto label :: else fi
#endif

proctype worker()
{
    byte table, block, link, round, got;
    got = NIL;
    round = 0;
    do
    :: round == 3 -> break
    :: round < 3 ->
        round++;
        if
        :: got == NIL ->
pop:        atomic { inside = true; restart = false };
            atomic { INSTRUCTION(pop); table = entry };
            if
            :: table == CLOSED -> inside = false; goto done
            :: else
            fi;
            atomic { INSTRUCTION(pop); read_head(block) };
            if
            :: block == NIL -> inside = false; goto done
            :: else
            fi;
            atomic { INSTRUCTION(pop); link = next[block] };
            atomic { INSTRUCTION(pop); commit(link); inside = false };
            atomic {
                assert(owner[block] == 0);      /* nobody else has it */
                owner[block] = 1;
                got = block
            }
        :: else ->
            atomic { owner[got] = 0 };
push:       atomic { inside = true; restart = false };
            atomic { INSTRUCTION(push); table = entry };
            if
            :: table == CLOSED ->
                atomic { inside = false; owner[got] = 3; got = NIL }; /* the slow way: back to the arena */
                goto done
            :: else
            fi;
            atomic { INSTRUCTION(push); read_head(block) };
            atomic { INSTRUCTION(push); next[got] = block };
            atomic { INSTRUCTION(push); commit(got); inside = false };
            got = NIL
        fi;
done:   skip
    od;
    worker_done = true
}

/* At any moment while a sequence runs. It need not do anything. */
proctype preemptor()
{
    byte times = 0;
    do
    :: times < 2 && inside -> atomic { restart = true; times++ }
    :: break
    od
}

/* The store buffer empties whenever it likes. */
proctype memory()
{
end:
    do
    :: atomic { buffered -> drain() }
    od
}

/* The barrier: whoever is inside is restarted, and all its stores are seen. */
inline fence()
{
    atomic {
        if
        :: inside -> restart = true
        :: else
        fi;
        drain()
    }
}

proctype closer()
{
    byte block, link, count, i;
    entry = CLOSED;
#ifndef NO_FENCE
    fence();
#endif
    /* the table is ours: take the whole list */
    block = head;
    head = NIL;
    do
    :: block == NIL -> break
    :: else ->
        link = next[block];
        atomic {
            assert(owner[block] == 0);          /* in the list, and nowhere else */
            owner[block] = 2
        };
        block = link
    od;
    /* give some of them back into the real list, as if others had freed them */
    i = 1;
    do
    :: i > NODES -> break
    :: i <= NODES ->
        if
        :: owner[i] == 2 ->
            next[i] = head;
            atomic { head = i; owner[i] = 0 }
        :: else
        fi;
        i++
    od;
    entry = REAL;
    /* at rest: when the worker is done, all nodes must be somewhere, once */
    (worker_done && !buffered);
    count = 0;
    block = head;
    do
    :: block == NIL || count > NODES -> break
    :: else ->
        assert(owner[block] == 0);
        count++;
        block = next[block]
    od;
    i = 1;
    do
    :: i > NODES -> break
    :: i <= NODES ->
        if
        :: owner[i] != 0 -> count++
        :: else
        fi;
        i++
    od;
    assert(count == NODES)
}

init {
    atomic { next[1] = 2; next[2] = NIL; run worker(); run preemptor(); run memory(); run closer() }
}
