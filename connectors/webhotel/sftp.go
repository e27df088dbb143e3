package webhotel

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"os"
	"path"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/pkg/sftp"
	"golang.org/x/crypto/ssh"

	"kvart/app"
)

const (
	dialLimit = 15 * time.Second
	// silence is how long a server may say nothing while it is waited for.
	silence = 75 * time.Second
	// aliveEvery is how often the server is asked for a sign of life, so that
	// no router in between forgets a connection nothing goes through for long.
	aliveEvery = 25 * time.Second
	// readAhead is how much of a file is asked for at once.
	readAhead = 256 << 10
	// sftpAtOnce is how many requests for different files run at once.
	sftpAtOnce = 8
	// clockSlack is how far a server's clock may be from ours without a change
	// being missed.
	clockSlack = 10 * time.Minute
)

// patient is a connection that gives up when nothing moves for too long.
type patient struct{ net.Conn }

func (c patient) Read(b []byte) (int, error) {
	if err := c.SetReadDeadline(time.Now().Add(silence)); err != nil {
		return 0, err
	}
	return c.Conn.Read(b)
}

func (c patient) Write(b []byte) (int, error) {
	if err := c.SetWriteDeadline(time.Now().Add(silence)); err != nil {
		return 0, err
	}
	return c.Conn.Write(b)
}

// shake logs in by SSH. It shows the password to no server but the pinned one.
// With offer nil it accepts what the library prefers.
func (c config) shake(ctx context.Context, offer ssh.PublicKey) (*ssh.Client, error) {
	const op = "webhotel: log in"
	ctx, cancel := context.WithTimeout(ctx, dialLimit)
	defer cancel()
	raw, err := (&net.Dialer{}).DialContext(ctx, "tcp", c.address())
	if err != nil {
		return nil, c.unreached(ctx, op, err)
	}
	stop := context.AfterFunc(ctx, func() { _ = raw.Close() })
	defer stop()
	var refused *app.Error
	conf := &ssh.ClientConfig{
		User: c.user, Auth: c.auth, HostKeyAlgorithms: hostKeyAlgorithms(offer),
		HostKeyCallback: func(_ string, _ net.Addr, key ssh.PublicKey) error {
			if refused = c.checkHostKey(key); refused != nil {
				return refused
			}
			return nil
		},
	}
	conn, channels, requests, err := ssh.NewClientConn(patient{raw}, c.address(), conf)
	if err == nil {
		return ssh.NewClient(conn, channels, requests), nil
	}
	_ = raw.Close() // the handshake may have done it
	switch {
	case refused != nil:
		return nil, refused
	case ctx.Err() != nil:
		return nil, c.unreached(ctx, op, ctx.Err())
	case tooMany(err.Error()):
		return nil, (&app.Error{Code: app.CodeSourceBusy, Op: op, Err: err}).With("where", c.address())
	case strings.Contains(err.Error(), "unable to authenticate"):
		return nil, (&app.Error{Code: app.CodeSourceDenied, Op: op, Err: err}).With("where", c.address()).With("user", c.user)
	case strings.Contains(err.Error(), "no common algorithm for host key"):
		return nil, fmt.Errorf("%s: %w", op, err)
	}
	return nil, c.unreached(ctx, op, err)
}

// unreached says that nobody answers, unless it is the caller who stopped.
func (c config) unreached(ctx context.Context, op string, err error) error {
	if errors.Is(context.Cause(ctx), context.Canceled) {
		return canceled(op, err)
	}
	return (&app.Error{Code: app.CodeSourceOffline, Op: op, Err: err}).With("where", c.address())
}

func (c config) checkHostKey(key ssh.PublicKey) *app.Error {
	code := app.CodeHostKeyUnknown
	if c.pinned != nil {
		if bytes.Equal(c.pinned.Marshal(), key.Marshal()) {
			return nil
		}
		code = app.CodeHostKeyChanged
	}
	return app.Errorf(code, "webhotel: log in", "%s shows the key %s", c.address(), ssh.FingerprintSHA256(key)).
		With("fingerprint", ssh.FingerprintSHA256(key)).
		With("host_key", strings.TrimSpace(string(ssh.MarshalAuthorizedKey(key)))).
		With("where", c.address())
}

// hostKeyAlgorithms makes a server that has keys of several types show the one
// of the pinned key's type; nil leaves the choice to the library.
func hostKeyAlgorithms(pinned ssh.PublicKey) []string {
	switch {
	case pinned == nil:
		return nil
	case pinned.Type() == ssh.KeyAlgoRSA:
		return []string{ssh.KeyAlgoRSASHA512, ssh.KeyAlgoRSASHA256}
	}
	return []string{pinned.Type()}
}

// sftpLink is a connection by SFTP. It is safe for concurrent use.
type sftpLink struct {
	conn *ssh.Client
	c    *sftp.Client
	root string

	dead atomic.Bool
	done chan struct{}
	once sync.Once
	work sync.WaitGroup
}

var _ link = (*sftpLink)(nil)

func (c config) dialSFTP(ctx context.Context) (link, error) {
	conn, err := c.shake(ctx, c.pinned)
	if err != nil && c.pinned != nil && strings.Contains(err.Error(), "no common algorithm for host key") {
		// The server has no key of the pinned one's type any more: let it show
		// what it has.
		_, err = c.shake(ctx, nil)
	}
	if err != nil {
		return nil, err
	}
	stop := context.AfterFunc(ctx, func() { _ = conn.Close() })
	defer stop()
	client, err := sftp.NewClient(conn, sftp.UseConcurrentWrites(true))
	if err != nil {
		err = app.Errorf(app.CodeSourceDenied, "webhotel: log in", "no SFTP for this user: %w", err).With("where", c.address()).With("user", c.user)
		return nil, errors.Join(err, conn.Close())
	}
	l := &sftpLink{conn: conn, c: client, done: make(chan struct{})}
	l.work.Go(l.stayAlive)
	// A link for the site's own folder is the one link that is followed.
	if l.root, err = client.RealPath(c.path); err == nil {
		return l, nil
	}
	l.root = c.path // there is nothing yet
	if !path.IsAbs(c.path) {
		home, homeErr := client.Getwd()
		l.root = path.Join(home, c.path)
		err = errors.Join(homeErr, err)
	}
	if faultOf(err) != faultNone {
		l.Close()
		return nil, err
	}
	return l, nil
}

func (l *sftpLink) stayAlive() {
	tick := time.NewTicker(aliveEvery)
	defer tick.Stop()
	for {
		select {
		case <-l.done:
			return
		case <-tick.C:
			if _, _, err := l.conn.SendRequest("keepalive@openssh.com", true, nil); err != nil {
				l.dead.Store(true)
				return
			}
		}
	}
}

// Close ends the connection. How it ends tells nothing.
func (l *sftpLink) Close() {
	l.once.Do(func() {
		l.dead.Store(true)
		close(l.done)
		_ = l.conn.Close()
		_ = l.c.Close()
		l.work.Wait()
	})
}

func (l *sftpLink) broken() bool { return l.dead.Load() }

func (l *sftpLink) at(p string) string { return path.Join(l.root, toServer(p)) }

// noted remembers an error that means the connection is gone.
func (l *sftpLink) noted(err error) error {
	if faultOf(err) == faultLost && !errors.Is(err, io.EOF) {
		l.dead.Store(true)
	}
	return err
}

// within ends the connection when ctx ends before what is under way does: the
// protocol has no way to take a request back.
func (l *sftpLink) within(ctx context.Context) (done func() bool) {
	return context.AfterFunc(ctx, func() {
		l.dead.Store(true)
		_ = l.conn.Close()
	})
}

func sftpEntry(name string, fi fs.FileInfo) entry {
	e := entry{path: fromServer(name), mtime: fi.ModTime(), mode: fi.Mode() & (fs.ModePerm | fs.ModeType), grain: time.Second, slack: clockSlack}
	if fi.Mode().IsRegular() {
		e.size = fi.Size()
	}
	return e
}

func (l *sftpLink) list(ctx context.Context, dir string) ([]entry, error) {
	defer l.within(ctx)()
	found, err := l.c.ReadDirContext(ctx, l.at(dir))
	if err != nil {
		return nil, l.noted(err)
	}
	list := make([]entry, 0, len(found))
	for _, fi := range found {
		if !isName(fi.Name()) {
			return nil, fmt.Errorf("the server calls something %q", fi.Name())
		}
		e := sftpEntry(fi.Name(), fi)
		if e.mode&fs.ModeSymlink != 0 {
			to, err := l.c.ReadLink(path.Join(l.at(dir), fi.Name()))
			if errors.Is(err, fs.ErrNotExist) {
				continue
			}
			if err != nil {
				return nil, l.noted(err)
			}
			e.link = fromServer(to)
		}
		list = append(list, e)
	}
	return list, nil
}

func (l *sftpLink) stat(ctx context.Context, p string) (entry, error) {
	defer l.within(ctx)()
	fi, err := l.c.Lstat(l.at(p))
	if err != nil {
		return entry{}, l.noted(err)
	}
	return sftpEntry(path.Base(p), fi), nil
}

func (l *sftpLink) open(ctx context.Context, e entry, from int64) (stream, error) {
	defer l.within(ctx)()
	f, err := l.c.Open(l.at(e.path))
	if err != nil {
		return nil, l.noted(err)
	}
	s := &sftpStream{l: l, f: f, at: from, stop: l.within(ctx)}
	s.r = bufio.NewReaderSize(readerFunc(s.fetch), int(min(max(e.size-from+1, 512), readAhead)))
	return s, nil
}

type readerFunc func([]byte) (int, error)

func (f readerFunc) Read(b []byte) (int, error) { return f(b) }

// sftpStream asks for a long stretch of a file at once.
type sftpStream struct {
	l    *sftpLink
	f    *sftp.File
	r    *bufio.Reader
	at   int64
	stop func() bool
}

func (s *sftpStream) fetch(b []byte) (int, error) {
	n, err := s.f.ReadAt(b, s.at)
	s.at += int64(n)
	if n > 0 && errors.Is(err, io.EOF) {
		err = nil // a file that grows meanwhile ends later
	}
	if err != nil && !errors.Is(err, io.EOF) {
		err = s.l.noted(err)
	}
	return n, err
}

func (s *sftpStream) Read(b []byte) (int, error) { return s.r.Read(b) }

func (s *sftpStream) Close() error {
	s.stop()
	return s.l.noted(s.f.Close())
}

func (l *sftpLink) write(ctx context.Context, p string, r io.Reader) error {
	defer l.within(ctx)()
	f, err := l.c.OpenFile(l.at(p), os.O_WRONLY|os.O_CREATE|os.O_TRUNC)
	if err != nil {
		return l.noted(err)
	}
	if err := f.Chmod(0o600); err != nil {
		return errors.Join(l.noted(err), f.Close())
	}
	_, err = f.ReadFrom(r)
	if _, ok := l.c.HasExtension("fsync@openssh.com"); ok && err == nil {
		err = f.Sync()
	}
	return l.noted(errors.Join(err, f.Close()))
}

func (l *sftpLink) rename(ctx context.Context, from, to string) error {
	defer l.within(ctx)()
	if _, ok := l.c.HasExtension("posix-rename@openssh.com"); ok {
		return l.noted(l.c.PosixRename(l.at(from), l.at(to)))
	}
	if err := l.c.Remove(l.at(to)); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return l.noted(err)
	}
	return l.noted(l.c.Rename(l.at(from), l.at(to)))
}

func (l *sftpLink) remove(ctx context.Context, p string, dir bool) error {
	defer l.within(ctx)()
	if dir {
		return l.noted(l.c.RemoveDirectory(l.at(p)))
	}
	return l.noted(l.c.Remove(l.at(p)))
}

func (l *sftpLink) mkdir(ctx context.Context, p string) error {
	defer l.within(ctx)()
	return l.noted(l.c.Mkdir(l.at(p)))
}

func (l *sftpLink) symlink(ctx context.Context, to, p string) error {
	defer l.within(ctx)()
	return l.noted(l.c.Symlink(toServer(to), l.at(p)))
}

func (l *sftpLink) settle(ctx context.Context, e entry, p string) error {
	defer l.within(ctx)()
	if err := l.c.Chmod(l.at(p), e.mode.Perm()); err != nil {
		return l.noted(err)
	}
	return l.noted(l.c.Chtimes(l.at(p), e.mtime, e.mtime))
}

func (l *sftpLink) free(ctx context.Context) int64 {
	defer l.within(ctx)()
	st, err := l.c.StatVFS(l.root)
	if err != nil {
		return -1
	}
	return int64(min(st.Frsize*st.Bavail, 1<<62))
}
