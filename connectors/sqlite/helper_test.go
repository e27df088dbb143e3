package sqlite

import (
	"bufio"
	"database/sql"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"
)

// The test binary is its own till: started with this variable it works on a
// database as another process would.
const helperVar = "KVART_TEST_TILL"

func TestMain(m *testing.M) {
	if what := os.Getenv(helperVar); what != "" {
		if err := beTill(what, os.Args[1], os.Stdin, os.Stdout); err != nil {
			fmt.Println(err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	os.Exit(m.Run())
}

// beTill does one thing to the database; "busy", "hold" and "lock" go on until
// stdin ends.
func beTill(what, file string, stdin io.Reader, stdout io.Writer) error {
	what, journal, _ := strings.Cut(what, " ")
	if what == "together" {
		end := make(chan struct{})
		go func() {
			io.Copy(io.Discard, stdin)
			close(end)
		}()
		return beTogether(file, journal, end, func(s string) { fmt.Fprintln(stdout, s) })
	}
	db, err := sql.Open("sqlite3", "file:"+file+"?_busy_timeout=15000")
	if err != nil {
		return err
	}
	db.SetMaxOpenConns(1)
	defer db.Close()
	end := make(chan struct{})
	go func() {
		io.Copy(io.Discard, stdin)
		close(end)
	}()
	say := func(s string) { fmt.Fprintln(stdout, s) }
	switch what {
	case "write":
		_, err := db.Exec(`PRAGMA busy_timeout = 50; INSERT INTO sale (product, n) VALUES (1, 1)`)
		switch {
		case locked(err):
			say("locked")
		case err != nil:
			return err
		default:
			say("written")
		}
	case "hold":
		if _, err := db.Exec(`SELECT count(*) FROM sqlite_schema`); err != nil {
			return err
		}
		say("ready")
		<-end
	case "lock":
		if _, err := db.Exec(`BEGIN EXCLUSIVE`); err != nil {
			return err
		}
		say("ready")
		<-end
	case "busy":
		if _, err := db.Exec(`PRAGMA journal_mode = ` + journal); err != nil {
			return err
		}
		say("ready")
		n, err := trade(db, end)
		say(fmt.Sprint(n))
		return err
	case "die":
		// In the middle of a commit too large for the cache.
		if _, err := db.Exec(`PRAGMA cache_size = 5; BEGIN; UPDATE product SET name = name || hex(randomblob(2000))`); err != nil {
			return err
		}
		say("ready")
		os.Exit(7)
	}
	return nil
}

// trade commits one transaction after the other. Whatever is committed has as
// many rows with a as it says, and a = b in every row.
func trade(db *sql.DB, end chan struct{}) (commits int, err error) {
	for ; ; commits++ {
		select {
		case <-end:
			return commits, nil
		case <-time.After(time.Duration(rand.IntN(4)) * time.Millisecond):
		}
		tx, err := db.Begin()
		if err != nil {
			return commits, err
		}
		n := rand.Int64()
		for range 1 + rand.IntN(5) {
			if _, err := tx.Exec(`INSERT INTO log (a, b, pad) VALUES (?, ?, hex(randomblob(600)))`, n, n); err != nil {
				return commits, err
			}
		}
		if _, err := tx.Exec(`UPDATE log SET a = a + 1, b = b + 1 WHERE id % 7 = ?`, rand.IntN(7)); err != nil {
			return commits, err
		}
		if _, err := tx.Exec(`DELETE FROM log WHERE id < (SELECT max(id) FROM log) - 400`); err != nil {
			return commits, err
		}
		if err := tx.Commit(); err != nil {
			return commits, err
		}
	}
}

// process is a helper that runs.
type process struct {
	t     *testing.T
	cmd   *exec.Cmd
	stdin io.Closer
	out   *bufio.Reader
	ended bool
}

// helper starts a till; it is stopped with the test at the latest.
func helper(t *testing.T, what, file string) *process {
	t.Helper()
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(exe, file)
	cmd.Env = append(os.Environ(), helperVar+"="+what)
	cmd.Stderr = os.Stderr
	stdin, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	p := &process{t: t, cmd: cmd, stdin: stdin, out: bufio.NewReader(stdout)}
	t.Cleanup(func() { p.stop() })
	return p
}

// line waits for the next line the till says.
func (p *process) line() string {
	p.t.Helper()
	s, err := p.out.ReadString('\n')
	if err != nil && err != io.EOF {
		p.t.Errorf("till: %v", err)
	}
	return strings.TrimSpace(s)
}

// wait reads a line and waits for the till to end.
func (p *process) wait() string {
	p.t.Helper()
	s := p.line()
	p.stop()
	return s
}

// stop ends the till and returns the rest of what it said.
func (p *process) stop() string {
	p.t.Helper()
	if p.ended {
		return ""
	}
	p.ended = true
	if err := p.stdin.Close(); err != nil {
		p.t.Errorf("till: %v", err)
	}
	rest, err := io.ReadAll(p.out)
	if err != nil {
		p.t.Errorf("till: %v", err)
	}
	if err := p.cmd.Wait(); err != nil && p.cmd.ProcessState.ExitCode() != 7 {
		p.t.Errorf("till: %v: %s", err, rest)
	}
	return strings.TrimSpace(string(rest))
}
