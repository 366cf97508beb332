// Package run carries a plan out and leaves nothing behind.
//
//	lock ▶ journal ▶ guard ▶ lab up ▶ plan ▶ conduct ▶ save ▶ report ▶ undo ▶ lab down
//
// and in the middle of it
//
//	baseline ▶ inject ▶ watch ▶ undo ▶ repair ▶ confirm
//
// Whatever dies on the way, the environment is put back: this process undoes
// what it did when it is ended, fails or panics; the guard, a process that
// holds the other end of a pipe, does so when this one dies; and `gameday undo`
// does what neither could. All three play the same journal with the same code.
package run
