// What went wrong in other implementations, row by row, about single replicas (docs/consensus.md, section 9).
import t from 'tap'
t.pass()
