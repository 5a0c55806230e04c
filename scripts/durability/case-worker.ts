// Runs cases in a process of its own, since LevelDB answers some damage by ending the process: node case-worker.ts <folder> <seed> <from> <to> [peers].
// Prints a line of JSON before and after each case; cases.ts reads them.
import { judgeCase, prepare, readMaterial } from './cases.ts'
import { judgeAmongPeers, startPeers } from './peers.ts'

const [folder, seed, from, to, among] = process.argv.slice(2) as [string, string, string, string, string?]
const material = await readMaterial(folder)
const ground = await prepare(material)
const peers = among === 'peers' ? await startPeers(material) : undefined
for (let number = Number(from); number <= Number(to); number++) {
  const { made, judge } = judgeCase(material, ground, Number(seed), number)
  process.stdout.write(`${JSON.stringify({ begun: made })}\n`)
  const judged = peers === undefined ? await judge() : { ...made, ...(await judgeAmongPeers(material, peers)) }
  process.stdout.write(`${JSON.stringify({ judged })}\n`)
}
// a thread or a timer of a node that did not stop cleanly must not keep it
process.exit(0)
