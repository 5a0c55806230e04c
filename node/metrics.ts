// Prometheus metrics of the node: where the chain is, what waits, and how the process does.
import { Counter, Gauge, type Registry } from 'prom-client'

export interface Gauges {
  readonly head: number
  readonly committed: number
  readonly checkpoint: number
  readonly view: number
  readonly peers: number
  readonly pendingTransactions: number
  readonly pendingBytes: number
  readonly voteLogBytes: number
  readonly behindBlocks: number
  readonly behindSeconds: number
  readonly ready: boolean
  /** 0: none. */
  readonly rulesUnknownFrom: number
  readonly evidence: number
}

export interface Metrics {
  readonly executed: (ok: number, refused: number) => void
  readonly blamed: () => void
  readonly text: () => Promise<string>
}

/** Beside what `registry` has already, such as the figures of the process. */
export function createMetrics(registry: Registry, read: () => Gauges): Metrics {
  const gauge = (name: string, help: string, of: (gauges: Gauges) => number): void => {
    new Gauge({
      name: `dongbaek_${name}`,
      help,
      registers: [registry],
      collect() {
        this.set(of(read()))
      },
    })
  }
  gauge('head_height', 'Last executed and stored block.', ({ head }) => head)
  gauge('committed_height', 'Last final block.', ({ committed }) => committed)
  gauge('checkpoint_height', 'Last certified state.', ({ checkpoint }) => checkpoint)
  gauge('view', 'Current view.', ({ view }) => view)
  gauge('peers_connected', 'Peers connected.', ({ peers }) => peers)
  gauge('mempool_transactions', 'Transactions that wait for a block.', ({ pendingTransactions }) => pendingTransactions)
  gauge('mempool_bytes', 'Bytes of the transactions that wait.', ({ pendingBytes }) => pendingBytes)
  gauge('vote_log_bytes', 'Size of the vote log.', ({ voteLogBytes }) => voteLogBytes)
  gauge('ready', '1 when caught up with enough validators in sight; an observer: when no staler than it may be.', ({ ready }) => (ready ? 1 : 0))
  gauge('behind_blocks', 'Later blocks that are known of and not stored here.', ({ behindBlocks }) => behindBlocks)
  gauge('behind_seconds', 'What is shown here is at most so old.', ({ behindSeconds }) => behindSeconds)
  gauge('rules_unknown_from_height', 'Block from which on the chain runs by a rule set that this program does not know; 0 when there is none.', ({ rulesUnknownFrom }) => rulesUnknownFrom)
  gauge('evidence_kept', 'Contradictory messages of validators that are kept, across restarts.', ({ evidence }) => evidence)
  const transactions = new Counter({ name: 'dongbaek_transactions_total', help: 'Transactions executed here, by status.', labelNames: ['status'], registers: [registry] })
  const blamed = new Counter({ name: 'dongbaek_evidence_total', help: 'Contradictory messages of validators seen here.', registers: [registry] })
  return {
    executed: (ok, refused) => {
      transactions.inc({ status: 'ok' }, ok)
      transactions.inc({ status: 'refused' }, refused)
    },
    blamed: () => blamed.inc(),
    text: () => registry.metrics(),
  }
}
