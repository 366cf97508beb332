// Package helper is the helper: a small program of gameday's, started in a container
// beside a target, in the target's namespaces, with the one capability that its
// work needs and nothing installed anywhere.
//
// Both ends are here. [Serve] is the helper's: it reads one order a line on its
// standard input and answers each with one line when the order is in force.
// [Session] is gameday's.
//
//	→ {"id":"1","op":"apply","name":"fault-0","work":{"packets":{…}}}
//	← {"id":"1","ok":true,"at":"2026-…","packets":0}
//	→ {"id":"2","op":"status","name":"fault-0"}
//	← {"id":"2","ok":true,"packets":4711,"bytes":282660}
//	→ {"id":"3","op":"undo","name":"fault-0"}
//
// Whatever ends a helper ends what it does: it undoes everything as soon as its
// standard input closes (gameday has died), when its lease was not renewed,
// and when it is signalled. If it is killed itself, the kernel undoes: the
// tables of packet filters belong to the helper's socket, and the files that
// fill a disk have no name and one descriptor. What the kernel cannot take back
// by itself (a qdisc, a file, a stopped process) is undone by another helper
// from the same [Work], as data: see [Session.Mend].
//
// All that a helper can do is in one registry, works. Work that lasts fills the
// interface lasting, of which mend is a part: a kind that the kernel keeps
// cannot be added without it.
package helper
