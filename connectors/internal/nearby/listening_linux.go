package nearby

import (
	"bufio"
	"bytes"
	"context"
	"os"
	"os/user"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

// proc is where the kernel tells everybody who listens.
const proc = "/proc"

// listening reads the kernel's tables. Which program listens is known only of
// this account's own; of the others their user's name has to do.
func listening(ctx context.Context) Listening {
	w := Listening{Whole: true}
	names := programs(ctx)
	users := map[string]string{}
	owner := func(uid, inode string) string {
		if name := names[inode]; name != "" {
			return name
		}
		name, known := users[uid]
		if !known {
			if u, err := user.LookupId(uid); err == nil && uid != "0" {
				name = u.Username
			}
			users[uid] = name
		}
		return name
	}
	for _, table := range []string{"tcp", "tcp6"} {
		f, err := os.Open(filepath.Join(proc, "net", table))
		if err != nil {
			// Without IPv6 there is only the one table, and without either the
			// usual ports are all there is to try.
			w.Whole = w.Whole && table == "tcp6"
			continue
		}
		w.Ports = append(w.Ports, readListeners(f, owner)...)
		if f.Close() != nil {
			w.Whole = false
		}
	}
	w.Ports = joined(w.Ports)
	inner := publishedPorts(ctx)
	for i := range w.Ports {
		w.Ports[i].Inner = inner[w.Ports[i].Port]
	}
	if table, err := os.ReadFile(filepath.Join(proc, "net", "unix")); err == nil {
		w.Sockets = readSockets(table)
	}
	return w
}

// readSockets reads the paths of listening sockets from the kernel's table.
func readSockets(table []byte) (out []string) {
	lines := bufio.NewScanner(bytes.NewReader(table))
	for lines.Scan() && len(out) < most {
		fields := strings.Fields(lines.Text())
		const accepts = "00010000"
		if len(fields) < 8 || fields[3] != accepts || !strings.HasPrefix(fields[7], "/") {
			continue
		}
		if path := strings.Join(fields[7:], " "); socketOf(path) != "" && !slices.Contains(out, path) {
			out = append(out, path)
		}
	}
	return out
}

// programs names the programs of this account by the inodes of their sockets.
func programs(ctx context.Context) map[string]string {
	out := map[string]string{}
	for _, pid := range pids() {
		if ctx.Err() != nil {
			break
		}
		fds, err := os.ReadDir(filepath.Join(proc, pid, "fd"))
		if err != nil {
			continue // somebody else's
		}
		var name string
		for _, fd := range fds {
			to, err := os.Readlink(filepath.Join(proc, pid, "fd", fd.Name()))
			inode, ok := strings.CutPrefix(to, "socket:[")
			if err != nil || !ok {
				continue
			}
			if name == "" {
				comm, err := os.ReadFile(filepath.Join(proc, pid, "comm"))
				if err != nil {
					break
				}
				name = strings.TrimSpace(string(comm))
			}
			out[strings.TrimSuffix(inode, "]")] = name
		}
	}
	return out
}

// publishedPorts returns which ports lead into which of a container.
func publishedPorts(ctx context.Context) map[int]int {
	out := map[int]int{}
	for _, pid := range pids() {
		if ctx.Err() != nil {
			break
		}
		cmdline, err := os.ReadFile(filepath.Join(proc, pid, "cmdline"))
		if err != nil {
			continue
		}
		if port, inner := published(string(cmdline)); port != 0 {
			out[port] = inner
		}
	}
	return out
}

func pids() (out []string) {
	list, err := os.ReadDir(proc)
	if err != nil {
		return nil
	}
	for _, e := range list {
		if _, err := strconv.Atoi(e.Name()); err == nil {
			out = append(out, e.Name())
		}
	}
	return out
}
