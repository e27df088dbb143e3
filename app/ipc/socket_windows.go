package ipc

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"
	"unsafe"

	"golang.org/x/sys/windows"

	"kvart/app"
)

// On Windows the socket is a named pipe: every Windows has them, which is not
// so for sockets with a path, and the system itself keeps other accounts out
// and tells who is at the other end.

// pipeBuffer is how much the system holds of what the other end has not read
// yet, in bytes.
const pipeBuffer = 64 << 10

// pipeName makes a pipe's name of a socket's path: pipes lie in no folder, and
// the names of files take capitals for small letters.
func pipeName(path string) (*uint16, error) {
	abs, err := filepath.Abs(path)
	if err != nil {
		return nil, err
	}
	sum := sha256.Sum256([]byte(strings.ToLower(abs)))
	return windows.UTF16PtrFromString(`\\.\pipe\kvart-` + hex.EncodeToString(sum[:16]))
}

// ownAccount returns who this process runs as.
func ownAccount() (*windows.SID, error) {
	user, err := windows.GetCurrentProcessToken().GetTokenUser()
	if err != nil {
		return nil, fmt.Errorf("find own account: %w", err)
	}
	return user.User.Sid, nil
}

// Connect reaches who listens at a path of [SocketPath]'s. Somebody of another
// account who listens there is not spoken to.
func Connect(ctx context.Context, path string) (net.Conn, error) {
	name, err := pipeName(path)
	if err != nil {
		return nil, err
	}
	for deadline := time.Now().Add(connectPatience); ; {
		h, err := windows.CreateFile(name, windows.GENERIC_READ|windows.GENERIC_WRITE, 0, nil, windows.OPEN_EXISTING,
			windows.FILE_FLAG_OVERLAPPED|windows.SECURITY_SQOS_PRESENT|windows.SECURITY_IDENTIFICATION, 0)
		if err == nil {
			if err := ownServer(h); err != nil {
				return nil, errors.Join(err, windows.CloseHandle(h))
			}
			return newPipe(h, path), nil
		}
		// busy: between one who was let in and room for the next
		if !errors.Is(err, windows.ERROR_PIPE_BUSY) || time.Now().After(deadline) {
			return nil, &net.OpError{Op: "dial", Net: "pipe", Addr: pipeAddr(path), Err: err}
		}
		select {
		case <-ctx.Done():
			return nil, ctx.Err()
		case <-time.After(5 * time.Millisecond):
		}
	}
}

// ownServer makes sure that the other end of a pipe is of this account: any
// program can be the first to take a name.
func ownServer(h windows.Handle) error {
	sd, err := windows.GetSecurityInfo(h, windows.SE_KERNEL_OBJECT, windows.OWNER_SECURITY_INFORMATION)
	if err != nil {
		return fmt.Errorf("see whose pipe it is: %w", err)
	}
	owner, _, err := sd.Owner()
	if err != nil {
		return fmt.Errorf("see whose pipe it is: %w", err)
	}
	own, err := ownAccount()
	if err != nil {
		return err
	}
	if owner == nil || !owner.Equals(own) {
		return errors.New("the pipe belongs to another account")
	}
	return nil
}

// Listen opens the pipe at a path of [SocketPath]'s. Other accounts, and other
// computers, can't reach it.
func Listen(path string) (net.Listener, error) {
	dir := filepath.Dir(path)
	if err := os.MkdirAll(dir, 0o700); err != nil { // others keep files there
		return nil, app.Errorf(app.CodeHomeReadOnly, "open pipe", "%w", err).With("path", dir)
	}
	if reached(path) {
		return nil, app.Errorf(app.CodeGuardRunning, "open pipe", "somebody answers on the one for %s", path)
	}
	l, err := listenPipe(path)
	switch {
	case errors.Is(err, windows.ERROR_ACCESS_DENIED), errors.Is(err, windows.ERROR_PIPE_BUSY), errors.Is(err, windows.ERROR_ALREADY_EXISTS):
		return nil, app.Errorf(app.CodeGuardRunning, "open pipe", "somebody has the one for %s: %w", path, err)
	case err != nil:
		return nil, app.Errorf(app.CodeHomeReadOnly, "open pipe", "%w", err).With("path", path)
	}
	return l, nil
}

// reached reports whether somebody listens at a path, who may have no time.
// The system refuses a second listener too, but not every version of it.
func reached(path string) bool {
	name, err := pipeName(path)
	if err != nil {
		return false
	}
	h, err := windows.CreateFile(name, windows.GENERIC_READ|windows.GENERIC_WRITE, 0, nil, windows.OPEN_EXISTING,
		windows.SECURITY_SQOS_PRESENT|windows.SECURITY_IDENTIFICATION, 0)
	if err == nil {
		_ = windows.CloseHandle(h) // nothing was asked
	}
	return err == nil || errors.Is(err, windows.ERROR_PIPE_BUSY)
}

func listenPipe(path string) (*pipeListener, error) {
	name, err := pipeName(path)
	if err != nil {
		return nil, err
	}
	own, err := ownAccount()
	if err != nil {
		return nil, err
	}
	sd, err := windows.SecurityDescriptorFromString(fmt.Sprintf("O:%sD:P(A;;GA;;;%s)", own, own))
	if err != nil {
		return nil, fmt.Errorf("keep other accounts out: %w", err)
	}
	l := &pipeListener{path: path, name: name, access: windows.SecurityAttributes{SecurityDescriptor: sd}}
	l.access.Length = uint32(unsafe.Sizeof(l.access))
	if l.waiting, err = l.instance(windows.FILE_FLAG_FIRST_PIPE_INSTANCE); err != nil {
		return nil, err
	}
	if l.done, err = windows.CreateEvent(nil, 1, 0, nil); err != nil {
		return nil, errors.Join(err, windows.CloseHandle(l.waiting))
	}
	return l, nil
}

// pipeListener is a [net.Listener] on a named pipe. One instance of the pipe
// waits for the next to come; it exists between two calls of Accept too, so
// that nobody else can take the name.
type pipeListener struct {
	path   string
	name   *uint16
	access windows.SecurityAttributes
	done   windows.Handle // an event: set once it is over

	end     sync.Once
	mu      sync.Mutex // held while waiting
	waiting windows.Handle
	closed  bool
}

func (l *pipeListener) instance(flags uint32) (windows.Handle, error) {
	return windows.CreateNamedPipe(l.name, windows.PIPE_ACCESS_DUPLEX|windows.FILE_FLAG_OVERLAPPED|flags,
		windows.PIPE_TYPE_BYTE|windows.PIPE_READMODE_BYTE|windows.PIPE_WAIT|windows.PIPE_REJECT_REMOTE_CLIENTS,
		windows.PIPE_UNLIMITED_INSTANCES, pipeBuffer, pipeBuffer, 0, &l.access)
}

// Accept implements [net.Listener].
func (l *pipeListener) Accept() (net.Conn, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for {
		if l.closed {
			return nil, l.failed(net.ErrClosed)
		}
		err := l.await()
		came := l.waiting
		switch {
		case errors.Is(err, net.ErrClosed):
			return nil, l.failed(err)
		case err != nil && !errors.Is(err, windows.ERROR_NO_DATA):
			return nil, l.failed(err)
		}
		next, nextErr := l.instance(0)
		if nextErr != nil {
			// who came is sent away rather than the name given up
			return nil, l.failed(errors.Join(nextErr, windows.DisconnectNamedPipe(came)))
		}
		l.waiting = next
		if err == nil {
			return newPipe(came, l.path), nil
		}
		if err := windows.CloseHandle(came); err != nil { // who came is gone again
			return nil, l.failed(err)
		}
	}
}

// await waits until somebody has come to the waiting instance. The error is
// net.ErrClosed when the listener was closed first.
func (l *pipeListener) await() error {
	event, err := windows.CreateEvent(nil, 1, 0, nil)
	if err != nil {
		return err
	}
	defer func() { _ = windows.CloseHandle(event) }() // nothing waits for it any more
	o := windows.Overlapped{HEvent: event}
	switch err := windows.ConnectNamedPipe(l.waiting, &o); {
	case errors.Is(err, windows.ERROR_PIPE_CONNECTED):
		return nil
	case err != nil && !errors.Is(err, windows.ERROR_IO_PENDING):
		return err
	}
	which, waitErr := windows.WaitForMultipleObjects([]windows.Handle{event, l.done}, false, windows.INFINITE)
	if waitErr != nil || which != windows.WAIT_OBJECT_0 {
		// the system writes to o until it says that it has ended
		if err := windows.CancelIoEx(l.waiting, &o); err != nil && !errors.Is(err, windows.ERROR_NOT_FOUND) {
			return errors.Join(waitErr, err)
		}
	}
	var n uint32
	err = windows.GetOverlappedResult(l.waiting, &o, &n, true)
	switch {
	case waitErr != nil:
		return waitErr
	case which != windows.WAIT_OBJECT_0:
		return net.ErrClosed
	}
	return err
}

func (l *pipeListener) failed(err error) error {
	return &net.OpError{Op: "accept", Net: "pipe", Addr: l.Addr(), Err: err}
}

// Close implements [net.Listener].
func (l *pipeListener) Close() error {
	err := net.ErrClosed
	l.end.Do(func() {
		err = windows.SetEvent(l.done)
		l.mu.Lock() // Accept has returned
		defer l.mu.Unlock()
		l.closed = true
		err = errors.Join(err, windows.CloseHandle(l.waiting), windows.CloseHandle(l.done))
	})
	return err
}

// Addr implements [net.Listener].
func (l *pipeListener) Addr() net.Addr { return pipeAddr(l.path) }

// pipeAddr is the path that both ends of a pipe know it by.
type pipeAddr string

// Network implements [net.Addr].
func (pipeAddr) Network() string { return "pipe" }

// String implements [net.Addr].
func (a pipeAddr) String() string { return string(a) }

// pipe is one end of a connection.
type pipe struct {
	*os.File
	addr pipeAddr
}

var _ net.Conn = (*pipe)(nil)

// newPipe takes a handle that was opened for overlapped work, which is what
// lets deadlines end a read.
func newPipe(h windows.Handle, path string) *pipe {
	return &pipe{File: os.NewFile(uintptr(h), path), addr: pipeAddr(path)}
}

// LocalAddr implements [net.Conn].
func (p *pipe) LocalAddr() net.Addr { return p.addr }

// RemoteAddr implements [net.Conn].
func (p *pipe) RemoteAddr() net.Addr { return p.addr }

// Read implements [net.Conn].
func (p *pipe) Read(b []byte) (int, error) {
	n, err := p.File.Read(b)
	return n, p.failed("read", err)
}

// Write implements [net.Conn].
func (p *pipe) Write(b []byte) (int, error) {
	n, err := p.File.Write(b)
	return n, p.failed("write", err)
}

// failed makes a file's error one of a connection: HTTP takes no other for the
// end of a deadline, and would give the next request up with this one's read.
func (p *pipe) failed(op string, err error) error {
	switch {
	case err == nil || errors.Is(err, io.EOF):
		return err
	case errors.Is(err, os.ErrClosed):
		err = net.ErrClosed
	}
	return &net.OpError{Op: op, Net: "pipe", Addr: p.addr, Err: err}
}
