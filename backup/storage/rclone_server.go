package storage

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"os/exec"
	"regexp"
	"strings"
	"sync"

	"kvart/app"
)

// rcloneNoFolder is how the program ends when a folder is not there.
const rcloneNoFolder = 3

// rcloneAnyHost stands for wherever the program listens just now.
const rcloneAnyHost = "rclone"

// rcloneListening matches what the program says when it can be asked.
var rcloneListening = regexp.MustCompile(`(?i)WebDav Server started on \[?http://(127\.0\.0\.1:\d+)/`)

// rcloneServer is the program while it serves a remote, on this computer and
// with a password of its own. It is started when it is needed, and again when it
// ended. It ends with stop, and on Linux with the guard.
type rcloneServer struct {
	rclone
	user, pass string
	base       http.RoundTripper

	mu      sync.Mutex
	running *rcloneRun
	stopped bool
}

// rcloneRun is one life of the program.
type rcloneRun struct {
	cmd    *exec.Cmd
	cancel context.CancelFunc
	said   *tail
	ended  chan struct{}
	host   string // where it listens
}

func newRcloneFiles(r rclone) rcloneFiles {
	// Without a proxy: it is on this computer.
	t := &http.Transport{DialContext: dialRestless, MaxIdleConnsPerHost: 8}
	s := &rcloneServer{rclone: r, user: rand.Text(), pass: rand.Text(), base: t}
	d := newDAV(&url.URL{Scheme: "http", Host: rcloneAnyHost}, s.user, app.NewSecret(s.pass), s)
	d.unstored = s.explain
	return rcloneFiles{d, s}
}

// explain says of a file that could not be stored what the program said.
func (s *rcloneServer) explain(err error) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.running == nil {
		return err
	}
	return &rcloneError{said: fmt.Sprintf("%v: %s", err, s.running.said)}
}

// RoundTrip implements [http.RoundTripper]: it sends a request to the program.
func (s *rcloneServer) RoundTrip(req *http.Request) (*http.Response, error) {
	run, err := s.get(req.Context())
	if err != nil {
		return nil, err
	}
	here := req.Clone(req.Context())
	here.URL.Host = run.host // its own name goes on as the host
	run.said.reset()
	resp, err := s.base.RoundTrip(here)
	if err != nil {
		return nil, err
	}
	if !rcloneFailed(req.Method, resp.StatusCode) {
		return resp, nil
	}
	drain(resp)
	return nil, &rcloneError{said: fmt.Sprintf("%s %s: %s: %s", req.Method, req.URL.Path, resp.Status, run.said)}
}

// rcloneFailed tells answers by which the program only says that it could not.
func rcloneFailed(method string, status int) bool {
	return status == http.StatusMethodNotAllowed && method != "MKCOL" || status >= http.StatusInternalServerError
}

// start starts the program, so that it tells at once why it can't.
func (s *rcloneServer) start(ctx context.Context) error {
	_, err := s.get(ctx)
	return err
}

// get returns the running program.
func (s *rcloneServer) get(ctx context.Context) (*rcloneRun, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.stopped {
		return nil, errors.New("the remote was closed")
	}
	if s.running != nil {
		select {
		case <-s.running.ended:
			s.running = nil
		default:
			return s.running, nil
		}
	}
	run, err := s.launch(ctx)
	if err != nil {
		return nil, err
	}
	s.running = run
	return run, nil
}

// launch starts the program and waits until it listens. The program outlives
// ctx, whose end only ends the waiting, and the program with it.
func (s *rcloneServer) launch(ctx context.Context) (*rcloneRun, error) {
	life, cancel := context.WithCancel(context.WithoutCancel(ctx))
	listening := make(chan string, 1)
	run := &rcloneRun{cancel: cancel, ended: make(chan struct{}), said: &tail{seen: func(line string) {
		if m := rcloneListening.FindStringSubmatch(line); m != nil {
			select {
			case listening <- m[1]:
			default:
			}
		}
	}}}
	run.cmd = s.command(life, "serve", "webdav", "--addr=127.0.0.1:0", "--dir-cache-time=0s", "--vfs-cache-mode=off", "--vfs-write-back=0s",
		"--low-level-retries=2", "--", s.remote) // what is tried again is tried again here
	run.cmd.Env = append(run.cmd.Env, "RCLONE_USER="+s.user, "RCLONE_PASS="+s.pass)
	run.cmd.Stderr = run.said
	if err := run.cmd.Start(); err != nil {
		cancel()
		return nil, app.Errorf(app.CodeProgramMissing, "start program", "%w", err).With("program", rcloneName)
	}
	go func() {
		_ = run.cmd.Wait() // what it said tells more
		close(run.ended)
	}()
	select {
	case run.host = <-listening:
		return run, nil
	case <-run.ended:
		cancel()
		return nil, &rcloneError{said: run.said.String()}
	case <-ctx.Done():
		run.end()
		return nil, fmt.Errorf("wait for rclone: %w", ctx.Err())
	}
}

// end kills the program and waits until it is gone.
func (r *rcloneRun) end() {
	r.cancel()
	<-r.ended
}

// stop ends the program for good.
func (s *rcloneServer) stop() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.stopped = true
	if s.running != nil {
		s.running.end()
		s.running = nil
	}
	return nil
}

// rcloneError is what the program said when it failed.
type rcloneError struct {
	exit int
	said string
}

func (e *rcloneError) Error() string { return "rclone: " + terse{errors.New(e.said)}.Error() }

// codeOfRclone knows the program's words: it has no codes for most of what can
// happen on its many remotes.
func codeOfRclone(err error) app.Code {
	var e *rcloneError
	if !errors.As(err, &e) {
		return ""
	}
	said := strings.ToLower(e.said)
	has := func(parts ...string) bool {
		for _, p := range parts {
			if strings.Contains(said, p) {
				return true
			}
		}
		return false
	}
	switch {
	case e.exit == rcloneNoFolder:
		return app.CodeStorageGone
	case tellsFull(said), has("insufficient_space", "storage limit"):
		return app.CodeStorageFull
	case has("find section in config", "unknown type", "unable to decrypt", "config file", "unknown flag", "unknown command", "is a file not a directory", "on a file"):
		return app.CodeUsage
	case has("x509:", "certificate"):
		return app.CodeCertificate
	case has("token expired", "invalid_grant", "fetch token", "unauthorized", "unauthenticated", "forbidden", "access denied", "access_denied",
		"permission denied", "invalid credentials", " 401", " 403", "login failed", "unable to authenticate"):
		return app.CodeStorageDenied
	case has("read-only file system", "read only"):
		return app.CodeStorageReadOnly
	case has("rate limit", "ratelimit", "too many requests", " 429", " 503"):
		return app.CodeStorageBusy
	case has("directory not found"):
		return app.CodeStorageGone
	}
	return app.CodeStorageOffline
}

// maxTail is how much of what a program says is kept.
const maxTail = 2 << 10

// tail keeps the end of what a program says. It is safe for concurrent use.
type tail struct {
	seen func(line string) // may be nil

	mu   sync.Mutex
	text []byte
	line []byte
}

// Write implements [io.Writer].
func (t *tail) Write(b []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.text = append(t.text, b...)
	if over := len(t.text) - maxTail; over > 0 {
		t.text = t.text[over:]
	}
	if t.seen == nil {
		return len(b), nil
	}
	t.line = append(t.line, b...)
	for {
		line, rest, ok := strings.Cut(string(t.line), "\n")
		if !ok {
			return len(b), nil
		}
		t.seen(line)
		t.line = []byte(rest)
	}
}

func (t *tail) String() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return strings.TrimSpace(string(t.text))
}

func (t *tail) reset() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.text = nil
}
