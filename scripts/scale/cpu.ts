// CPU time, so that neighbours on the machine do not count.

/** Of this thread, in microseconds. */
export function threadUs(): number {
  const { user, system } = process.threadCpuUsage()
  return user + system
}

/** Of all threads of this process. */
export function allThreadsUs(): number {
  const { user, system } = process.cpuUsage()
  return user + system
}
