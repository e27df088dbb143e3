// Package tunnel reaches a server that is only to be reached from another one:
// it logs in there by SSH and hands what connects to a port of this computer's
// own through. It shows its password to no server but the one whose key was
// pinned, and knows nothing of what goes through it.
package tunnel

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"strconv"
	"strings"
	"sync"
	"time"

	"golang.org/x/crypto/ssh"

	"kvart/app"
)

// Fields are the names of the settings and secrets a [Config] is made from, so
// that every kind that offers a tunnel asks the same.
const (
	FieldHost     = "ssh_host"
	FieldPort     = "ssh_port"
	FieldUser     = "ssh_user"
	FieldKey      = "ssh_key"
	FieldPassword = "ssh_password"
	FieldHostKey  = "ssh_host_key"
)

// Fields returns the form's fields. All of them are advanced.
func Fields() []app.Field {
	return []app.Field{
		{Key: FieldHost, Type: app.FieldText, Advanced: true},
		{Key: FieldPort, Type: app.FieldNumber, Default: "22", Advanced: true},
		{Key: FieldUser, Type: app.FieldText, Advanced: true},
		{Key: FieldKey, Type: app.FieldSecret, Multiline: true, Advanced: true},
		{Key: FieldPassword, Type: app.FieldSecret, Advanced: true},
		{Key: FieldHostKey, Type: app.FieldText, Advanced: true},
	}
}

const (
	op        = "open tunnel"
	dialLimit = 15 * time.Second
	// aliveEvery is how often the server is asked for a sign of life, so that
	// no router in between forgets a connection nothing goes through for long.
	aliveEvery = 30 * time.Second
)

// Config says where to log in and as whom.
type Config struct {
	host, port, user string
	auth             []ssh.AuthMethod
	pinned           ssh.PublicKey // nil before the first contact
}

// Read makes a Config from a source's settings and secrets. ok is false when
// no tunnel is asked for.
func Read(settings map[string]string, secrets app.Secrets) (c Config, ok bool, err error) {
	c.host = strings.Trim(strings.TrimSpace(settings[FieldHost]), "[]")
	if c.host == "" {
		return c, false, nil
	}
	if strings.ContainsAny(c.host, "/@ ") {
		return c, true, bad(FieldHost, "%q is no host", c.host)
	}
	if c.port = settings[FieldPort]; c.port == "" {
		c.port = "22"
	}
	if n, err := strconv.ParseUint(c.port, 10, 16); err != nil || n == 0 {
		return c, true, bad(FieldPort, "%q is no port", c.port)
	}
	if c.user = settings[FieldUser]; c.user == "" {
		return c, true, bad(FieldUser, "no user")
	}
	if c.pinned, err = parseHostKey(settings[FieldHostKey]); err != nil {
		return c, true, err
	}
	c.auth, err = auth(secrets[FieldKey], secrets[FieldPassword])
	return c, true, err
}

func bad(field, format string, args ...any) *app.Error {
	return app.Errorf(app.CodeUsage, op, format, args...).With("field", field)
}

// auth returns the ways to log in. Next to a key the password is the key's own
// where that is locked, and else the user's, which some servers want as the
// answer to a question.
func auth(key, password app.Secret) (methods []ssh.AuthMethod, err error) {
	if !key.IsZero() {
		signer, err := parseKey(key, password)
		if err != nil {
			return nil, err
		}
		methods = append(methods, ssh.PublicKeys(signer))
	}
	if !password.IsZero() {
		methods = append(methods, ssh.Password(password.Reveal()), ssh.KeyboardInteractive(
			func(_, _ string, questions []string, echos []bool) ([]string, error) {
				answers := make([]string, len(questions))
				for i, shown := range echos {
					if shown {
						return nil, errors.New("the server asks for more than a password")
					}
					answers[i] = password.Reveal()
				}
				return answers, nil
			}))
	}
	if len(methods) == 0 {
		return nil, bad(FieldKey, "neither a key nor a password")
	}
	return methods, nil
}

// parseKey leaves the parser's own words out: they are about a secret.
func parseKey(key, passphrase app.Secret) (ssh.Signer, error) {
	signer, err := ssh.ParsePrivateKey([]byte(key.Reveal()))
	var locked *ssh.PassphraseMissingError
	switch {
	case err == nil:
		return signer, nil
	case !errors.As(err, &locked):
		return nil, bad(FieldKey, "not a private key")
	case passphrase.IsZero():
		return nil, bad(FieldPassword, "the key is locked with a password")
	}
	if signer, err = ssh.ParsePrivateKeyWithPassphrase([]byte(key.Reveal()), []byte(passphrase.Reveal())); err != nil {
		return nil, bad(FieldPassword, "not the key's password")
	}
	return signer, nil
}

// parseHostKey reads a key as servers show it, "ssh-ed25519 AAAA…", also with
// the names before it that a known_hosts file has.
func parseHostKey(line string) (ssh.PublicKey, error) {
	line = strings.TrimSpace(line)
	if line == "" {
		return nil, nil
	}
	if key, _, _, _, err := ssh.ParseAuthorizedKey([]byte(line)); err == nil {
		return key, nil
	}
	_, _, key, _, _, err := ssh.ParseKnownHosts([]byte(line))
	if err != nil {
		return nil, bad(FieldHostKey, "not a host key: %w", err)
	}
	return key, nil
}

func (c Config) address() string { return net.JoinHostPort(c.host, c.port) }

// Tunnel is an open tunnel. What connects to [Tunnel.Address] comes out at the
// other end.
type Tunnel struct {
	client   *ssh.Client
	listener net.Listener
	network  string
	remote   string

	work sync.WaitGroup
	once sync.Once

	mu    sync.Mutex
	conns map[net.Conn]bool // of both ends, while they are open
	shut  bool
}

// Open logs in and opens the tunnel; remote is an address as seen from there,
// or with network "unix" a socket there. Nothing is asked of remote yet. ctx
// governs only the opening; Close ends the tunnel.
func Open(ctx context.Context, c Config, network, remote string) (*Tunnel, error) {
	client, err := c.shake(ctx, c.pinned)
	if err != nil && c.pinned != nil && strings.Contains(err.Error(), "no common algorithm for host key") {
		// The server has no key of the pinned one's type any more: let it show
		// what it has.
		_, err = c.shake(ctx, nil)
	}
	if err != nil {
		return nil, err
	}
	listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return nil, errors.Join(fmt.Errorf("%s: listen: %w", op, err), client.Close())
	}
	t := &Tunnel{client: client, listener: listener, network: network, remote: remote, conns: map[net.Conn]bool{}}
	done := make(chan struct{})
	t.work.Go(func() { t.accept(); close(done) })
	t.work.Go(func() { t.stayAlive(done) })
	return t, nil
}

// Address is where to connect to, on this computer: host and port.
func (t *Tunnel) Address() (host string, port int) {
	addr, ok := t.listener.Addr().(*net.TCPAddr)
	if !ok {
		return "", 0
	}
	return addr.IP.String(), addr.Port
}

// Close ends the tunnel and everything that goes through it, and waits until
// all is gone. It may be called twice.
func (t *Tunnel) Close() (err error) {
	t.once.Do(func() {
		err = t.listener.Close()
		t.mu.Lock()
		t.shut = true
		for c := range t.conns {
			_ = c.Close() // it only has to end
		}
		t.mu.Unlock()
		_ = t.client.Close() // how it ends tells nothing
		t.work.Wait()
	})
	return err
}

func (t *Tunnel) stayAlive(done <-chan struct{}) {
	tick := time.NewTicker(aliveEvery)
	defer tick.Stop()
	for {
		select {
		case <-done:
			return
		case <-tick.C:
			if _, _, err := t.client.SendRequest("keepalive@openssh.com", true, nil); err != nil {
				return // whoever uses the tunnel notices
			}
		}
	}
}

func (t *Tunnel) accept() {
	for {
		near, err := t.listener.Accept()
		if err != nil {
			return // closed
		}
		if t.enter(near) {
			t.work.Go(func() { t.carry(near) })
		}
	}
}

// enter notes an open connection; it closes it when the tunnel is shut.
func (t *Tunnel) enter(c net.Conn) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.shut {
		_ = c.Close()
		return false
	}
	t.conns[c] = true
	return true
}

func (t *Tunnel) leave(c net.Conn) {
	t.mu.Lock()
	defer t.mu.Unlock()
	delete(t.conns, c)
	_ = c.Close() // it may be closed already
}

// carry hands one connection through. That the far end can't be reached shows
// at the near one as a connection that ends at once.
func (t *Tunnel) carry(near net.Conn) {
	defer t.leave(near)
	far, err := t.client.Dial(t.network, t.remote)
	if err != nil || !t.enter(far) {
		return
	}
	defer t.leave(far)
	var both sync.WaitGroup
	both.Go(func() { pour(far, near) })
	both.Go(func() { pour(near, far) })
	both.Wait()
}

// pour copies until one side ends, and tells the other that no more will come.
func pour(to, from net.Conn) {
	_, err := io.Copy(to, from)
	half, ok := to.(interface{ CloseWrite() error })
	if err != nil || !ok || half.CloseWrite() != nil {
		_ = to.Close() // the other direction then ends too
	}
}

// shake does the SSH handshake. With offer nil it accepts no key, and ends with
// the error that tells the server's, unless one is pinned.
func (c Config) shake(ctx context.Context, offer ssh.PublicKey) (*ssh.Client, error) {
	ctx, cancel := context.WithTimeout(ctx, dialLimit)
	defer cancel()
	raw, err := (&net.Dialer{}).DialContext(ctx, "tcp", c.address())
	if err != nil {
		return nil, c.unreached(ctx, err)
	}
	stop := context.AfterFunc(ctx, func() { _ = raw.Close() })
	defer stop()
	var refused *app.Error
	config := &ssh.ClientConfig{
		User: c.user, Auth: c.auth, HostKeyAlgorithms: algorithms(offer),
		HostKeyCallback: func(_ string, _ net.Addr, key ssh.PublicKey) error {
			if refused = c.checkHostKey(key); refused != nil {
				return refused
			}
			return nil
		},
	}
	conn, channels, requests, err := ssh.NewClientConn(raw, c.address(), config)
	if err == nil {
		return ssh.NewClient(conn, channels, requests), nil
	}
	_ = raw.Close() // the handshake may have done it
	switch {
	case refused != nil:
		return nil, refused
	case ctx.Err() != nil:
		return nil, c.unreached(ctx, ctx.Err())
	case strings.Contains(err.Error(), "unable to authenticate"):
		return nil, app.Errorf(app.CodeTunnelDenied, op, "log in: %w", err).With("where", c.address()).With("user", c.user)
	case strings.Contains(err.Error(), "no common algorithm for host key"):
		return nil, fmt.Errorf("%s: %w", op, err)
	}
	return nil, c.unreached(ctx, err)
}

// unreached says that nobody answers, unless it is the caller who stopped.
func (c Config) unreached(ctx context.Context, err error) error {
	if errors.Is(context.Cause(ctx), context.Canceled) {
		return &app.Error{Code: app.CodeCanceled, Op: op, Err: err}
	}
	return app.Errorf(app.CodeTunnelOffline, op, "%w", err).With("where", c.address())
}

func (c Config) checkHostKey(key ssh.PublicKey) *app.Error {
	code := app.CodeHostKeyUnknown
	if c.pinned != nil {
		if bytes.Equal(c.pinned.Marshal(), key.Marshal()) {
			return nil
		}
		code = app.CodeHostKeyChanged
	}
	return app.Errorf(code, op, "%s shows the key %s", c.address(), ssh.FingerprintSHA256(key)).
		With("fingerprint", ssh.FingerprintSHA256(key)).
		With("host_key", strings.TrimSpace(string(ssh.MarshalAuthorizedKey(key)))).
		With("where", c.address())
}

// algorithms makes a server that has keys of several types show the one of the
// pinned key's type; nil leaves the choice to the library.
func algorithms(pinned ssh.PublicKey) []string {
	switch {
	case pinned == nil:
		return nil
	case pinned.Type() == ssh.KeyAlgoRSA:
		return []string{ssh.KeyAlgoRSASHA512, ssh.KeyAlgoRSASHA256}
	}
	return []string{pinned.Type()}
}
