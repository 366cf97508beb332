package fault

// Note is the documentation of a kind, besides its settings.
type Note struct {
	Example string // an item of faults: in a scenario
	How     string // how the fault works
	Undone  string // how it is reverted, also after a crash of gameday or the helper
	Kernel  string // the kernel features that it requires, beyond those of Docker
}

// Notes are the notes of all kinds, by name.
func Notes() map[string]Note { //nolint:funlen // a table
	return map[string]Note{
		"bandwidth": {
			Example: `bandwidth: {target: {service: db}, rate: 10mbit}`,
			How:     `A token bucket (tbf) on every interface of the component, with a burst of 10 ms and a queue of 100 ms. The fault refuses an interface whose root qdisc is not the kernel's default, because that qdisc could not be restored, and a rate that no interface reaches. It is felt by packets that have to wait or are lost, and not by traffic below the rate.`,
			Undone:  "The helper removes the qdisc, and the kernel restores its default. If the helper is killed, the kernel keeps the qdisc; then another helper removes it, from the journal.",
			Kernel:  "sch_tbf",
		},
		"command": {
			Example: `command: {inject: [aws, rds, reboot-db-instance, --force-failover], undo: ["true"], timeout: 5m}`,
			How:     `The commands run without a shell. On the host they run in gameday's working directory, with its environment variables.`,
			Undone:  "By your own undo command. It must be safe to run more than once, and to run if the fault was not injected.",
		},
		"connections": {
			Example: `connections: {target: {service: nat}, max: 100}`,
			How:     `Connection tracking counts connections to the component and connections routed through it. The packet that would open one above the limit is dropped.`,
			Undone:  "The helper removes its table. If the helper is killed, the kernel removes the table, because the helper's socket owns it.",
			Kernel:  "nftables with nft_connlimit",
		},
		"corrupt": {
			Example: `corrupt: {target: {service: app}, share: 1%}`,
			How:     `Packets pass through user space, where a bit after the IP header is flipped. The receiver discards them because of their checksum.`,
			Undone:  "The helper removes its rules, then releases the held packets. If the helper is killed, the kernel removes the rules, and packets pass.",
			Kernel:  "nftables, the NFQUEUE target",
		},
		"cpu": {
			Example: `cpu: {target: {service: app, any: 1}, cores: 0.1}`,
			How:     `The engine lowers the CPU quota of the component's control group. The fault refuses a limit that is not lower than the present one, or not lower than the CPUs that the component may run on.`,
			Undone:  "The engine restores the former quota, unless another process has changed it since.",
		},
		"crash": {
			Example: `crash: {target: {service: app, any: 1}}`,
			How:     `A helper in the PID namespace of the host, with only CAP_KILL, ends the main process. The engine treats this as a crash, so the restart policy applies.`,
			Undone:  "The component is started, unless it was restarted already.",
		},
		"delay": {
			Example: `delay: {target: {service: db}, by: 200ms, jitter: 20ms}`,
			How:     "Packets are held in user space and leave in order. That handles about 20,000 packets a second (measured on two cores; 40,000 are too many); packets above that rate pass without delay. Held outgoing packets count towards the sender's socket buffer: a UDP sender has room for about 250 packets, then waits. `via: netem` uses the kernel's netem; like bandwidth, it refuses an interface whose root qdisc is not the kernel's default.",
			Undone:  "The helper removes its rules, then releases the held packets. If the helper is killed, the kernel removes the rules, and packets pass. `gameday undo` removes a netem qdisc, using the journal.",
			Kernel:  "nftables, the NFQUEUE target; sch_netem for via: netem",
		},
		"dns": {
			Example: `dns: {target: {label: tier=app}, answer: timeout}`,
			How:     `timeout drops the answers; refused rejects the queries, as a closed port does. Answers that the component gives to others are left alone. Both happen before the engine rewrites the address of its own server, 127.0.0.11.`,
			Undone:  "The helper removes its table. If the helper is killed, the kernel removes the table, because the helper's socket owns it.",
			Kernel:  "nftables",
		},
		"drop": {
			Example: `drop: {target: {service: app}, peer: {service: db}, share: 10%}`,
			How:     `A rule in the component's network namespace: for incoming packets at the input hook; for outgoing packets at the device, where the sender is not notified of the loss. IPv4 and IPv6 are dropped, on all interfaces, also on one that comes while the fault lasts. A peer has all addresses that the engine knows, its link-local IPv6 addresses, and virtual addresses once the component has talked to them. Packets by way of a port that the host publishes for a peer have the address of the host and pass; the plan names such ports. ARP and neighbor discovery are dropped only if all packets are, and never count as felt.`,
			Undone:  "The helper removes its table. If the helper is killed, the kernel removes the table, because the helper's socket owns it.",
			Kernel:  "nftables; without owned tables (Linux 5.12) or the egress hook (5.16) the fault works with the limits that a note in the report names",
		},
		"duplicate": {
			Example: `duplicate: {target: {service: app}, protocol: udp, share: 5%}`,
			How:     `A copy of each packet is sent to the same destination, by IPv4 and IPv6.`,
			Undone:  "The helper removes its table. If the helper is killed, the kernel removes the table, because the helper's socket owns it.",
			Kernel:  "nftables with nft_dup_ipv4 and nft_dup_ipv6",
		},
		"file": {
			Example: `file: {target: {service: lb}, path: /etc/ssl/server.pem, do: remove}`,
			How:     `A helper in the component's PID namespace changes the file. Symbolic links cannot lead out of the component. The maximum size of a file is 1 MiB. A file with hard links is not removed. A file with capabilities or signatures is refused: the revert could not restore them.`,
			Undone:  "The file is restored with owner, mode, access list, user attributes and times (to the nanosecond). The revert does not touch a file that another process has changed since, such as a renewed certificate.",
			Kernel:  "openat2 (Linux 5.6)",
		},
		"fill": {
			Example: `fill: {target: {service: db}, path: /var/lib/postgresql/data, leave: 1MiB}`,
			How:     `An unnamed file takes the space (fallocate), and also space that is freed later. The fault refuses the host's own file system, unless host: true is set; then 10% of it stays free.`,
			Undone:  "The helper closes the file. If the helper is killed, the kernel closes it.",
		},
		"hang": {
			Example: `hang: {target: {service: app}, process: worker}`,
			How:     `Every process of the program is stopped (SIGSTOP). The kernel protects the component's main process from SIGSTOP; use pause for it.`,
			Undone:  "The processes are continued (SIGCONT), by the helper, or by a new helper that reads the journal.",
		},
		"isolate": {
			Example: `isolate: {target: {service: db}}`,
			How:     `Like drop, for all packets. With keep_probe, packets from and to the gateways of the component's networks pass: requests of gameday's load arrive from there. Ports that the host publishes for other components can still be reached that way.`,
			Undone:  "The helper removes its table. If the helper is killed, the kernel removes the table, because the helper's socket owns it.",
			Kernel:  "nftables",
		},
		"kill": {
			Example: `kill: {target: {role: db-primary}}`,
			How:     `The engine kills the component. The engine treats this as a manual stop, so no restart policy applies.`,
			Undone:  "The component is started.",
		},
		"manual": {
			Example: `manual: {do: "Pull the plug of rack 4", undo: "Plug it in again", timeout: 10m}`,
			How:     `The terminal shows the instruction and waits for Enter. gameday cannot verify that the instruction was followed; only the samples can show it.`,
			Undone:  "The terminal shows the instruction. Without a terminal the run ends with exit code 5, and gameday undo asks again.",
		},
		"memory": {
			Example: `memory: {target: {service: app}, limit: 64MiB}`,
			How:     `The engine lowers the memory limit. The fault refuses a component without a limit, because the engine cannot remove a limit, and a limit that is not lower than the present one, or not lower than the memory of the machine.`,
			Undone:  "The engine restores the former limit, unless another process has changed it since.",
		},
		"noop": {
			Example: `noop: {target: {service: app}}`,
			How:     `The component is not changed. The game day shows what the load experiences without a fault.`,
			Undone:  "There is nothing to revert.",
		},
		"partition": {
			Example: `partition: {target: {role: db-primary}, from: {service: app}}`,
			How:     `Like drop, for packets between the target and the components of from:. Components that start or get a new address while the fault lasts are included. A role in from: is resolved once, at the injection.`,
			Undone:  "The helper removes its table. If the helper is killed, the kernel removes the table, because the helper's socket owns it. Open connections continue at the kernel's next retransmission, which may take as long as the partition lasted. That time is part of the system's recovery.",
			Kernel:  "nftables",
		},
		"pause": {
			Example: `pause: {target: {service: db}}`,
			How:     `The engine freezes all processes (the freezer of the control group). Connections stay open but get no answer.`,
			Undone:  "The engine unpauses the component. A component that was paused before the fault is refused.",
		},
		"pids": {
			Example: `pids: {target: {service: app}, max: 10}`,
			How:     `The engine lowers the limit of the component's control group. The fault refuses a limit that is not lower than the present one.`,
			Undone:  "The engine restores the former limit, unless another process has changed it since.",
		},
		"process": {
			Example: `process: {target: {service: db}, name: walwriter, signal: KILL}`,
			How:     `Every process of the program gets the signal, once. The kernel protects the component's main process from signals that it does not handle; use crash for it.`,
			Undone:  "The component is restarted if it has no such process.",
		},
		"readonly": {
			Example: `readonly: {target: {service: db}, path: /var/lib/postgresql/data}`,
			How:     `The mount is remounted read-only, for the component only. The kernel refuses that while a process has a file there open for writing.`,
			Undone:  "The mount is remounted with its former options, by the helper, or by a new helper that reads the journal.",
		},
		"reject": {
			Example: `reject: {target: {service: app}, ports: [8080], with: reset}`,
			How:     `Like drop, with an answer to the sender: an ICMP error, or a TCP reset, which also ends open connections.`,
			Undone:  "The helper removes its table. If the helper is killed, the kernel removes the table, because the helper's socket owns it.",
			Kernel:  "nftables",
		},
		"reorder": {
			Example: `reorder: {target: {service: app}, protocol: udp, share: 25%, by: 20ms}`,
			How:     `Packets are held in user space, except for a share of them, which overtake the others. It is felt once a packet has overtaken another.`,
			Undone:  "The helper removes its rules, then releases the held packets. If the helper is killed, the kernel removes the rules, and packets pass.",
			Kernel:  "nftables, the NFQUEUE target",
		},
		"restart": {
			Example: `restart: {target: {service: app, any: 1}}`,
			How:     `The engine stops the component and starts it again.`,
			Undone:  "The component is started if it does not run.",
		},
		"stop": {
			Example: `stop: {target: {service: app, any: 1}}`,
			How:     `The engine asks the component to end, and kills it after 10 seconds. No restart policy restarts it.`,
			Undone:  "The component is started.",
		},
		"zone": {
			Example: `zone: {name: a, by: kill}`,
			How:     `The fault is injected into all components of the zone at once. The report has the time of each injection.`,
			Undone:  "by: kill: the components are started. by: isolate: the helpers remove their rules; if a helper is killed, the kernel removes the rules.",
		},
	}
}
