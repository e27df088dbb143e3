package mysql

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"sync"
	"time"

	"kvart/connectors/internal/tool"
)

// ownServer is a database server that lives for one rehearsal: with a data
// folder of its own, without network, reached by a socket in a folder only this
// user may enter.
type ownServer struct {
	session *session
	stop    func()
	done    sync.WaitGroup
	ended   error
	dir     string
}

// startTime is how long a server may take to come up.
const startTime = 60 * time.Second

// ownServer starts the server program installed here. Its error says why it
// can't: none is installed, or not of the right vendor and age, or the system
// keeps it to its own folders.
func (c *Connector) ownServer(ctx context.Context, s *session, j job, tmp string) (_ *ownServer, err error) {
	if runtime.GOOS == "windows" {
		return nil, errors.New("no sockets on this system")
	}
	p, err := c.program(ctx, s, roleServer())
	if err != nil {
		return nil, err
	}
	// A socket's path may only be about a hundred bytes long.
	dir, err := os.MkdirTemp("", "kvart-d")
	if err != nil {
		return nil, fmt.Errorf("make a folder for a server: %w", err)
	}
	o := &ownServer{dir: dir, stop: func() {}}
	defer func() {
		if err != nil {
			err = errors.Join(err, o.Close())
		}
	}()
	data, scratch := filepath.Join(tmp, "server"), filepath.Join(tmp, "scratch")
	for _, d := range []string{data, scratch} {
		if err := os.MkdirAll(d, 0o700); err != nil {
			return nil, fmt.Errorf("make a folder for a server: %w", err)
		}
	}
	if err := c.initialize(ctx, s, p, data, scratch); err != nil {
		return nil, fmt.Errorf("set up a server: %w", err)
	}
	socket := filepath.Join(dir, "s")
	running, stop := context.WithCancel(ctx)
	o.stop = stop
	cmd := tool.Command(p.Path, serverArgs(data, scratch, socket, j.about.Longest)...)
	o.done.Go(func() { o.ended = tool.Run(running, cmd) })
	cfg := config{socket: socket, user: "root", database: s.cfg.database, tls: tlsOff, host: "127.0.0.1"}
	if o.session, err = c.await(ctx, cfg); err != nil {
		return nil, fmt.Errorf("start a server: %w", err)
	}
	return o, nil
}

// serverArgs gives the server a folder of its own for temporary tables: in the
// system's it would take those of the shop's server for leftovers, and delete
// them while it starts.
func serverArgs(data, scratch, socket string, longest int64) []string {
	args := []string{
		"--no-defaults", "--datadir=" + data, "--tmpdir=" + scratch, "--socket=" + socket, "--skip-networking", "--pid-file=" + filepath.Join(filepath.Dir(socket), "pid"),
		"--innodb-buffer-pool-size=64M", "--innodb-flush-log-at-trx-commit=0", "--skip-log-bin", "--event-scheduler=OFF",
		fmt.Sprintf("--max-allowed-packet=%d", min(max(64<<20, (longest+1<<20)&^1023), 1<<30)),
		"--loose-mysqlx=OFF", "--log-bin-trust-function-creators=1", "--secure-file-priv=" + data,
	}
	return append(args, asUser()...)
}

// asUser lets the server run as root where we do: in a folder of its own it can
// harm nothing there.
func asUser() []string {
	if os.Getuid() == 0 {
		return []string{"--user=root"}
	}
	return nil
}

// initialize makes the system tables.
func (c *Connector) initialize(ctx context.Context, s *session, p tool.Program, data, scratch string) error {
	if !s.maria {
		_, err := tool.Output(ctx, tool.Command(p.Path, append([]string{"--no-defaults", "--initialize-insecure", "--datadir=" + data, "--tmpdir=" + scratch}, asUser()...)...), 1<<20)
		return err
	}
	install, err := installer(p.Path)
	if err != nil {
		return err
	}
	args := []string{"--no-defaults", "--datadir=" + data, "--tmpdir=" + scratch, "--auth-root-authentication-method=normal", "--skip-test-db"}
	_, err = tool.Output(ctx, tool.Command(install, append(args, asUser()...)...), 1<<20)
	return err
}

// installer finds the script that belongs to a server of MariaDB's.
func installer(server string) (string, error) {
	dir := filepath.Dir(server)
	for _, at := range []string{dir, filepath.Join(dir, "..", "bin"), filepath.Join(dir, "..", "scripts")} {
		for _, name := range []string{"mariadb-install-db", "mysql_install_db"} {
			path := filepath.Join(at, name)
			if fi, err := os.Stat(path); err == nil && fi.Mode().IsRegular() {
				return path, nil
			}
		}
	}
	return "", &exec.Error{Name: "mariadb-install-db", Err: exec.ErrNotFound}
}

// await connects as soon as the server answers.
func (c *Connector) await(ctx context.Context, cfg config) (*session, error) {
	ctx, cancel := context.WithTimeout(ctx, startTime)
	defer cancel()
	for {
		s, err := c.dial(ctx, cfg)
		if err == nil {
			return s, nil
		}
		select {
		case <-ctx.Done():
			return nil, errors.Join(err, ctx.Err())
		case <-time.After(100 * time.Millisecond):
		}
	}
}

// Close ends the server and removes what is not in tmp.
func (o *ownServer) Close() error {
	var errs []error
	if o.session != nil {
		errs = append(errs, o.session.Close())
	}
	o.stop()
	o.done.Wait()
	return errors.Join(append(errs, os.RemoveAll(o.dir))...)
}
