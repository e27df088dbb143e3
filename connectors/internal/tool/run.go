package tool

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"time"
)

// grace is how long a program may take to end after it was asked to.
const grace = 2 * time.Second

// Bounds of what is remembered of a program's output.
const (
	noteBytes = 16 << 10 // of stderr: half from its beginning, half from its end
	tailBytes = 4 << 10  // of stdout, for the check of its trailer
)

// A dump program writes 4 KiB at a time, and to wake its reader for each costs as
// much as reading it. So where its output can be given room for wideBytes, what
// comes in pieces of less than steadyBytes is let come for a moment before more is
// taken. Nobody waits for that but once at the end.
const (
	wideBytes   = 1 << 20
	steadyBytes = 128 << 10
	moment      = time.Millisecond
)

// ExitError is a program that did not end well. Its message has what the
// program wrote to stderr, cut to a bearable length.
type ExitError struct {
	Program string // without its folder
	Code    int    // -1 when a signal ended it
	Stderr  string
}

func (e *ExitError) Error() string {
	msg := fmt.Sprintf("%s ended with %d", e.Program, e.Code)
	if e.Stderr != "" {
		msg += ": " + e.Stderr
	}
	return msg
}

// ErrTruncated is a program's output that has no end, although the program
// ended well.
var ErrTruncated = errors.New("output is cut off")

// process is a program under way.
type process struct {
	cmd    *exec.Cmd
	ctx    context.Context
	notes  *notes
	unhook func() bool // of ctx

	mu    sync.Mutex
	timer *time.Timer // ends it by force
	ended bool
}

func start(ctx context.Context, cmd *exec.Cmd) (*process, error) {
	if err := ctx.Err(); err != nil {
		return nil, fmt.Errorf("start %s: %w", filepath.Base(cmd.Path), err)
	}
	p := &process{cmd: cmd, ctx: ctx, notes: &notes{}}
	cmd.Stderr = p.notes
	cmd.WaitDelay = grace // a grandchild may keep stderr open
	if err := cmd.Start(); err != nil {
		return nil, fmt.Errorf("start %s: %w", filepath.Base(cmd.Path), err)
	}
	lowPriority(cmd.Process.Pid)
	p.unhook = context.AfterFunc(ctx, p.stop)
	return p, nil
}

// stop asks the program's whole group to end and forces it a moment later.
func (p *process) stop() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.ended || p.timer != nil {
		return
	}
	endGroup(p.cmd, false)
	p.timer = time.AfterFunc(grace, func() {
		p.mu.Lock()
		defer p.mu.Unlock()
		if !p.ended {
			endGroup(p.cmd, true)
		}
	})
}

// wait returns nil only when the program ended well and nobody ended it.
func (p *process) wait() error {
	err := p.cmd.Wait()
	p.unhook()
	p.mu.Lock()
	p.ended = true
	if p.timer != nil {
		p.timer.Stop()
	}
	// What the program itself started is not left behind.
	endGroup(p.cmd, true)
	p.mu.Unlock()
	name := filepath.Base(p.cmd.Path)
	if cause := p.ctx.Err(); cause != nil {
		return fmt.Errorf("%s: %w", name, cause)
	}
	var exit *exec.ExitError
	switch {
	case errors.As(err, &exit):
		return &ExitError{Program: name, Code: exit.ExitCode(), Stderr: p.notes.String()}
	case errors.Is(err, exec.ErrWaitDelay):
		return nil // it ended well; only something it left behind held on to stderr
	case err != nil:
		return fmt.Errorf("wait for %s: %w", name, err)
	}
	return nil
}

// Run runs cmd and returns once it ended. What it writes to stdout goes to
// cmd.Stdout, what it writes to stderr into the error.
func Run(ctx context.Context, cmd *exec.Cmd) error {
	p, err := start(ctx, cmd)
	if err != nil {
		return err
	}
	return p.wait()
}

// Output runs cmd and returns what it writes to stdout, which may be at most
// limit bytes.
func Output(ctx context.Context, cmd *exec.Cmd, limit int64) (out []byte, err error) {
	r, err := Stream(ctx, cmd, nil)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, r.Close()) }()
	out, err = io.ReadAll(io.LimitReader(r, limit+1))
	if err == nil && int64(len(out)) > limit {
		err = fmt.Errorf("%s: more than %d bytes of output", filepath.Base(cmd.Path), limit)
	}
	return out, err
}

// stream is a program's output.
type stream struct {
	*process
	out   io.ReadCloser
	check func(tail []byte) error
	tail  []byte
	wide  bool  // out has room for wideBytes
	last  int   // bytes read last
	read  int64 // bytes in all
	err   error // what every further Read returns
	done  sync.Once
}

// Stream starts cmd and returns what it writes to stdout. Read returns
// [io.EOF] only when the program ended with 0 and check, which gets the last 4
// KiB and may be nil, is content; otherwise its error says what went wrong.
// When ctx ends, or the reader is closed before its end, the program and all
// that it started are ended; Close then returns nil. A reader is for one
// goroutine at a time, and must be closed.
func Stream(ctx context.Context, cmd *exec.Cmd, check func(tail []byte) error) (io.ReadCloser, error) {
	out, err := cmd.StdoutPipe()
	if err != nil {
		return nil, fmt.Errorf("start %s: %w", filepath.Base(cmd.Path), err)
	}
	p, err := start(ctx, cmd)
	if err != nil {
		return nil, err
	}
	return &stream{process: p, out: out, check: check, wide: widen(out)}, nil
}

func (s *stream) Read(b []byte) (int, error) {
	if s.err != nil {
		return 0, s.err
	}
	if s.wide && s.read > steadyBytes && s.last < min(steadyBytes, len(b)) {
		time.Sleep(moment)
	}
	n, err := s.out.Read(b)
	s.last, s.read = n, s.read+int64(n)
	s.keep(b[:n])
	if err == nil {
		return n, nil
	}
	if !errors.Is(err, io.EOF) && !errors.Is(err, os.ErrClosed) {
		s.stop()
	}
	s.done.Do(func() {
		s.err = s.wait()
		if s.err == nil && s.check != nil {
			s.err = s.check(s.tail)
		}
		if s.err == nil {
			s.err = err // io.EOF, unless the pipe itself broke
		}
	})
	return n, s.err
}

func (s *stream) keep(b []byte) {
	if len(b) >= tailBytes {
		s.tail = append(s.tail[:0], b[len(b)-tailBytes:]...)
		return
	}
	if over := len(s.tail) + len(b) - tailBytes; over > 0 {
		s.tail = append(s.tail[:0], s.tail[over:]...)
	}
	s.tail = append(s.tail, b...)
}

// Close ends the program if it still runs.
func (s *stream) Close() error {
	s.done.Do(func() {
		s.stop()
		s.err = os.ErrClosed
		// Nobody reads any more, and how it ended does not matter to anybody.
		if err := s.out.Close(); err != nil && !errors.Is(err, os.ErrClosed) {
			s.err = err
		}
		_ = s.wait()
	})
	return nil
}

// EndsWith returns a check for [Stream]: the output's last line that is not
// empty begins with trailer, or one before it if only lines that skip accepts
// follow. skip may be nil.
func EndsWith(trailer string, skip func(line string) bool) func(tail []byte) error {
	return func(tail []byte) error {
		lines := bytes.Split(tail, []byte("\n"))
		for i := len(lines) - 1; i >= 0; i-- {
			line := strings.TrimSpace(string(lines[i]))
			if strings.HasPrefix(line, trailer) {
				return nil
			}
			if line != "" && (skip == nil || !skip(line)) {
				break
			}
		}
		return fmt.Errorf("%w: no %q at its end", ErrTruncated, trailer)
	}
}

// notes keeps the beginning and the end of what is written to it.
type notes struct {
	mu   sync.Mutex
	head []byte
	last []byte
	cut  bool
}

func (n *notes) Write(b []byte) (int, error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	written := len(b)
	if room := noteBytes/2 - len(n.head); room > 0 {
		take := min(room, len(b))
		n.head = append(n.head, b[:take]...)
		b = b[take:]
	}
	n.last = append(n.last, b...)
	if over := len(n.last) - noteBytes/2; over > 0 {
		n.cut = true
		n.last = append(n.last[:0], n.last[over:]...)
	}
	return written, nil
}

func (n *notes) String() string {
	n.mu.Lock()
	defer n.mu.Unlock()
	s := string(n.head)
	if n.cut {
		s += "\n…\n"
	}
	s += string(n.last)
	return strings.ToValidUTF8(strings.TrimSpace(s), "?")
}
