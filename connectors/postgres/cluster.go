package postgres

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"

	"kvart/app"
	"kvart/connectors/internal/tool"
)

// longestSocket is what a socket's path may have on every system.
const longestSocket = 90

// onOwnServer rehearses on a server that is started for it, which listens on
// a socket in a folder of its own and nowhere else; why says why it can't be.
func (j *job) onOwnServer(ctx context.Context, tmp string, p app.Progress) (checks []app.Check, why string, err error) {
	if runtime.GOOS == "windows" {
		return nil, "no server of its own is started on Windows", nil
	}
	if os.Geteuid() == 0 {
		return nil, "PostgreSQL is not started by root", nil
	}
	found, err := j.c.find(ctx, "initdb")
	if err != nil {
		return nil, "", err
	}
	want := majorOf(j.about.Server)
	at := slices.IndexFunc(found, func(p tool.Program) bool { return majorOf(p.Version) == want })
	if at < 0 && len(found) > 0 && majorOf(found[0].Version) > want {
		at = 0
	}
	if at < 0 {
		return nil, "no server of version " + j.about.Server + " is installed here", nil
	}
	bin := filepath.Dir(found[at].Path)
	s, err := j.c.startServer(ctx, bin, tmp)
	if err != nil && ctx.Err() == nil {
		j.c.log.Warn("Server not started", "connector", string(Kind), "error", err)
		return nil, "no server could be started here", nil
	}
	if err != nil {
		return nil, "", fmt.Errorf("start a server: %w", err)
	}
	defer func() { err = errors.Join(err, s.stop()) }()
	l := &link{c: j.c, settings: settings{socket: s.socket, port: 5432, user: serverUser, database: "postgres", tls: tlsPrefer}}
	admin, err := l.patiently(ctx)
	if err != nil {
		return nil, "", err
	}
	defer l.let(ctx, admin)
	known, err := column[string](ctx, admin, "SELECT name::text FROM pg_catalog.pg_available_extensions")
	if err != nil {
		return nil, "", err
	}
	for _, e := range j.about.Extensions {
		if name, _, _ := strings.Cut(e, " "); !slices.Contains(known, name) {
			return nil, "the extension " + name + " is not installed here", nil
		}
	}
	own := *j
	own.link = l
	checks, err = own.drill(ctx, admin, app.SeenTriedHere, nil, p)
	return checks, "", err
}

// serverUser is the owner of a server of our own.
const serverUser = "kvart"

// server is a server of our own.
type server struct {
	socket string
	dirs   []string
	end    context.CancelFunc
	work   sync.WaitGroup
	err    error // how it ended
}

// startServer makes a cluster in tmp and starts it. Whatever it holds is gone
// with it, so nothing waits for the disk.
func (c *Connector) startServer(ctx context.Context, bin, tmp string) (s *server, err error) {
	data := filepath.Join(tmp, "cluster")
	s = &server{socket: tmp, dirs: []string{data}}
	if len(s.socket) > longestSocket {
		if s.socket, err = os.MkdirTemp("/tmp", "kvart"); err != nil {
			return nil, err
		}
		s.dirs = append(s.dirs, s.socket)
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, s.remove())
		}
	}()
	if _, err := tool.Output(ctx, tool.Command(filepath.Join(bin, "initdb"), "--pgdata="+data, "--username="+serverUser,
		"--auth=trust", "--encoding=UTF8", "--no-locale", "--no-sync", "--no-instructions"), 1<<20); err != nil {
		return nil, err
	}
	var off []string
	for _, setting := range []string{
		"listen_addresses=", "unix_socket_directories=" + s.socket, "unix_socket_permissions=0700", "port=5432",
		"fsync=off", "full_page_writes=off", "max_wal_size=1GB", "autovacuum=off", "logging_collector=off", "max_locks_per_transaction=256",
	} {
		off = append(off, "-c", setting)
	}
	cmd := tool.Command(filepath.Join(bin, "postgres"), append([]string{"-D", data}, off...)...)
	running, cancel := context.WithCancel(ctx)
	s.end = cancel
	s.work.Go(func() { s.err = tool.Run(running, cmd) })
	return s, nil
}

// stop ends the server and takes its files away.
func (s *server) stop() error {
	s.end()
	s.work.Wait()
	err := s.err
	if errors.Is(err, context.Canceled) {
		err = nil
	}
	return errors.Join(err, s.remove())
}

func (s *server) remove() (err error) {
	for _, dir := range s.dirs {
		err = errors.Join(err, os.RemoveAll(dir))
	}
	return err
}

// patiently connects to a server that is just starting.
func (l *link) patiently(ctx context.Context) (conn *pgx.Conn, err error) {
	for range 150 {
		if conn, err = l.connect(ctx, l.database); err == nil {
			return conn, nil
		}
		if app.CodeOf(err) != app.CodeSourceOffline {
			return nil, err
		}
		select {
		case <-ctx.Done():
			return nil, ctx.Err()
		case <-time.After(100 * time.Millisecond):
		}
	}
	return nil, fmt.Errorf("the server does not answer: %s", strings.TrimSpace(err.Error()))
}
