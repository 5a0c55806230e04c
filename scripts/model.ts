// npm run model: the points and reservation families against the reference model, as many random transactions as one likes. See test/reference-model/.
import { parseArgs } from 'node:util'
import { missing } from '../test/reference-model/coverage.ts'
import { crowdLife } from '../test/reference-model/crowd.ts'
import { live, type Tally } from '../test/reference-model/life.ts'

const help = `npm run model -- [flags]

  --transactions N  how many (default 100000)
  --seed S          the first seed (default 1); each life of a city has the next
  --life N          transactions of one life (default 1000)
  --tally           how often each code and event occurred

More than one life are preceded by a crowd, which meets the bounds of what a block, a day and the chain take.

Each transaction is run by the node's rules and by a second, naive implementation written from the documents; receipts, events and rows must be the same after
every block. Exit code 1 when they are not, with the seed: run it again by --seed S --transactions 1.`

const { values } = parseArgs({
  options: {
    help: { type: 'boolean', short: 'h' },
    transactions: { type: 'string', default: '100000' },
    seed: { type: 'string', default: '1' },
    life: { type: 'string', default: '1000' },
    tally: { type: 'boolean' },
  },
})

function main(): number {
  if (values.help === true) {
    console.log(help)
    return 0
  }
  const [wanted, first, length] = [Number(values.transactions), Number(values.seed), Number(values.life)]
  if (![wanted, length].every((each) => Number.isSafeInteger(each) && each > 0) || !Number.isSafeInteger(first) || first < 0) {
    console.error(help)
    return 2
  }
  const began = process.cpuUsage()
  const seconds = (): string => {
    const { user, system } = process.cpuUsage(began)
    return ((user + system) / 1e6).toFixed(0)
  }
  const tally: Tally = new Map()
  let [done, seed, differences] = [0, first, 0]
  if (wanted > length) {
    try {
      done += crowdLife({ onResult: (what) => tally.set(what, (tally.get(what) ?? 0) + 1) })
    } catch (cause) {
      differences++
      console.log(`the crowd: ${String(cause)}`)
    }
  }
  for (let told = 0; done < wanted; seed++) {
    try {
      done += live(seed, length, tally)
    } catch (cause) {
      differences++
      done += length
      console.log(`seed ${seed}: ${String(cause)}`)
    }
    if (done - told >= 50_000) {
      told = done
      console.log(`${done} transactions, seeds ${first} to ${seed}, ${differences} differences, ${seconds()} s of CPU`)
    }
  }
  if (values.tally === true) for (const [what, times] of [...tally].sort(([, a], [, b]) => b - a)) console.log(`${String(times).padStart(9)}  ${what}`)
  const never = missing(tally)
  console.log(`${done} transactions in ${wanted > length ? 'a crowd and ' : ''}${seed - first} lives (seeds ${first} to ${seed - 1}), ${differences} differences, ${seconds()} s of CPU${never.length > 0 ? `; never occurred: ${never.join(', ')}` : '; every code and every event of both families occurred'}`)
  return differences === 0 ? 0 : 1
}

process.exitCode = main()
