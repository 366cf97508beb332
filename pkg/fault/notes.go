package fault

// Note is what there is to know about a kind beside its settings.
type Note struct {
	Example string // a fault of a scenario
	How     string // what it does
	Undone  string // how it is undone, whatever dies
	Kernel  string // what it takes of the engine's kernel, beside what engines take
}

// Notes are the notes on all kinds, by name.
func Notes() map[string]Note { //nolint:funlen // a table
	return map[string]Note{
		"bandwidth": {
			Example: `bandwidth: {target: {service: db}, rate: 10mbit}`,
			How:     `A token bucket (tbf) on every interface of the component, with 10 ms of burst and 100 ms of queue. An interface with a root qdisc of its own, anything but the kernel's default, is refused: it could not be put back as it was.`,
			Undone:  "The helper removes the queue, and the kernel puts its default back. The kernel keeps the queue if the helper is killed: then another helper removes it, from the journal.",
			Kernel:  "sch_tbf",
		},
		"command": {
			Example: `command: {inject: [aws, rds, reboot-db-instance, --force-failover], undo: ["true"], timeout: 5m}`,
			How:     `The commands run as they are, without a shell. On the host they run where gameday runs, with its environment.`,
			Undone:  "By your own undo command: it must be safe to repeat, and to run when nothing was broken.",
		},
		"connections": {
			Example: `connections: {target: {service: nat}, max: 100}`,
			How:     `Connection tracking counts; the packet that would begin one more is lost, for what ends at the component and what passes through it.`,
			Undone:  "As for drop.",
			Kernel:  "nftables with nft_connlimit",
		},
		"corrupt": {
			Example: `corrupt: {target: {service: app}, share: 1%}`,
			How:     `Packets pass through user space, where a bit behind the IP header is changed. The checksum tells, and the other end throws them away.`,
			Undone:  "As for delay.",
			Kernel:  "nftables, the NFQUEUE target",
		},
		"cpu": {
			Example: `cpu: {target: {service: app, any: 1}, cores: 0.1}`,
			How:     `The quota of the component's control group is lowered by the engine. One that is no lower than what the component has is refused.`,
			Undone:  "The former quota is put back, unless somebody has set another one meanwhile.",
		},
		"crash": {
			Example: `crash: {target: {service: app, any: 1}}`,
			How:     `A helper in the PID namespace of the host, with CAP_KILL alone, ends the main process. To the engine that is a crash and not an order, so that the restart policy does what it is for.`,
			Undone:  "Where nothing has brought the component back, it is started.",
		},
		"delay": {
			Example: `delay: {target: {service: db}, by: 200ms, jitter: 20ms}`,
			How:     "Packets are held in user space and leave in order. It carries some 20,000 packets a second (measured on two cores; 40,000 are too many); what is more passes without delay. On the way out, what is held counts against the sender's socket buffer: a UDP sender has room for some 250 packets, and waits. `via: netem` is the kernel's own way; like bandwidth, it is refused on an interface with a root qdisc of its own.",
			Undone:  "The rules go first and what is held is let go. If the helper is killed, its rules go with it, and packets pass. A netem queue is removed from the journal.",
			Kernel:  "nftables, the NFQUEUE target; sch_netem for via: netem",
		},
		"dns": {
			Example: `dns: {target: {label: tier=app}, answer: timeout}`,
			How:     `timeout loses the answers; refused tells the asker that the port is closed. Both are met before the engine rewrites the addresses of its own server at 127.0.0.11.`,
			Undone:  "As for drop.",
			Kernel:  "nftables",
		},
		"drop": {
			Example: `drop: {target: {service: app}, peer: {service: db}, share: 10%}`,
			How:     `A rule in the component's network namespace: on the way in at the input hook, on the way out at the device, where a loss is silent to the sender too.`,
			Undone:  "The helper removes its table. If the helper is killed, the kernel does, as the table belongs to the helper's socket.",
			Kernel:  "nftables; owned tables (5.12) and the egress hook (5.16), else a note says what is less",
		},
		"duplicate": {
			Example: `duplicate: {target: {service: app}, protocol: udp, share: 5%}`,
			How:     `A copy of each packet is sent to where it goes.`,
			Undone:  "As for drop.",
			Kernel:  "nftables with nft_dup_ipv4",
		},
		"file": {
			Example: `file: {target: {service: lb}, path: /etc/ssl/server.pem, do: remove}`,
			How:     `A helper in the component's PID namespace reaches its files. Symbolic links of the component stay inside of it. Files of up to 1 MiB. A file with several names (hard links) is not removed, and one with capabilities or signatures is refused: it could not be put back.`,
			Undone:  "The file is written back with owner, mode, access list, user attributes, and times to the nanosecond. A file that is neither as it was nor as the fault made it is somebody else's, a renewed certificate for example, and left alone.",
			Kernel:  "openat2 (5.6)",
		},
		"fill": {
			Example: `fill: {target: {service: db}, path: /var/lib/postgresql/data, leave: 1MiB}`,
			How:     `A file without a name takes the space (fallocate), and takes again what is freed meanwhile. The host's own file system is refused, unless host: true; then a tenth of it stays free.`,
			Undone:  "The helper closes the file. If the helper is killed, the kernel does.",
		},
		"hang": {
			Example: `hang: {target: {service: app}, process: worker}`,
			How:     `Every process of the program is stopped (SIGSTOP). The component's main process is shielded by the kernel: pause does that.`,
			Undone:  "They go on (SIGCONT), if need be by another helper from the journal.",
		},
		"isolate": {
			Example: `isolate: {target: {service: db}}`,
			How:     `As drop, for everything. With keep_probe, what comes from the gateways of the component's networks passes: the way by which gameday's users come in from the host.`,
			Undone:  "As for drop.",
			Kernel:  "nftables",
		},
		"kill": {
			Example: `kill: {target: {role: db-primary}}`,
			How:     `The engine's kill call. It counts as an order, so that no restart policy brings the component back: its host is gone.`,
			Undone:  "It is started again.",
		},
		"manual": {
			Example: `manual: {do: "Pull the plug of rack 4", undo: "Put it back", timeout: 10m}`,
			How:     `The terminal shows what to do and waits for Enter. Whether it was done well, nobody checks but the samples.`,
			Undone:  "The terminal shows what to do. Where nobody is there, the run ends with exit code 5 and gameday undo asks again.",
		},
		"memory": {
			Example: `memory: {target: {service: app}, limit: 64MiB}`,
			How:     `The memory limit is lowered by the engine. A component without one is refused, as an engine cannot take a limit away; and so is a limit that is no lower than the one it has.`,
			Undone:  "The former limit is put back, unless somebody has set another one meanwhile.",
		},
		"noop": {
			Example: `noop: {target: {service: app}}`,
			How:     `It does nothing: a game day that shows what is seen without a fault.`,
			Undone:  "There is nothing to undo.",
		},
		"partition": {
			Example: `partition: {target: {role: db-primary}, from: {service: app}}`,
			How:     `As drop, for the packets between the component and those that from means. While it lasts, components that come or move are cut off too; a role stays with whom held it.`,
			Undone:  "As for drop. Open connections go on once the kernel tries again, which may take as long as the partition lasted: that time is the system's own.",
			Kernel:  "nftables",
		},
		"pause": {
			Example: `pause: {target: {service: db}}`,
			How:     `All its processes freeze (the freezer of its control group): connections stay open and nobody answers.`,
			Undone:  "It goes on. One that somebody else has paused is not touched.",
		},
		"pids": {
			Example: `pids: {target: {service: app}, max: 10}`,
			How:     `The limit of the component's control group is lowered by the engine. One that is no lower than what the component has is refused.`,
			Undone:  "The former limit is put back, unless somebody has set another one meanwhile.",
		},
		"process": {
			Example: `process: {target: {service: db}, name: walwriter, signal: KILL}`,
			How:     `Every process of the program gets the signal, once. The component's main process is shielded by the kernel from signals it does not handle: crash does that.`,
			Undone:  "Where the component has no such process any more, it is started again.",
		},
		"readonly": {
			Example: `readonly: {target: {service: db}, path: /var/lib/postgresql/data}`,
			How:     `The mount is remounted read-only, for the component alone. While a process has a file there open for writing the kernel refuses, and so does this.`,
			Undone:  "It is remounted as it was, if need be by another helper from the journal.",
		},
		"reject": {
			Example: `reject: {target: {service: app}, ports: [8080], with: reset}`,
			How:     `As drop, with an answer: an ICMP error, or a TCP reset, which ends open connections too.`,
			Undone:  "As for drop.",
			Kernel:  "nftables",
		},
		"reorder": {
			Example: `reorder: {target: {service: app}, protocol: udp, share: 25%, by: 20ms}`,
			How:     `Packets are held in user space, and a share of them is not.`,
			Undone:  "As for delay.",
			Kernel:  "nftables, the NFQUEUE target",
		},
		"restart": {
			Example: `restart: {target: {service: app, any: 1}}`,
			How:     `Stopped and started again, as a deployment does.`,
			Undone:  "Where it was left stopped, it is started.",
		},
		"stop": {
			Example: `stop: {target: {service: app, any: 1}}`,
			How:     `It is asked to end, and ended after 10 seconds. No restart policy brings it back.`,
			Undone:  "It is started again.",
		},
		"zone": {
			Example: `zone: {name: a, by: kill}`,
			How:     `All components with the label gameday.zone of this value, ordered at the same moment; the report has the moment of each.`,
			Undone:  "As for kill, or isolate.",
		},
	}
}
