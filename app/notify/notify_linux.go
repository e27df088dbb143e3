package notify

import (
	"context"
	"errors"
	"fmt"
	"image"
	"image/draw"
	"log/slog"
	"strings"
	"sync"

	"github.com/godbus/dbus/v5"

	"kvart/app"
	"kvart/assets"
)

// The notification service of the desktop, see
// https://specifications.freedesktop.org/notification-spec/latest/.
const (
	service = "org.freedesktop.Notifications"
	object  = "/org/freedesktop/Notifications"
)

// iconSize is what notification daemons show, with room for sharp screens.
const iconSize = 96

// Urgencies and life times of the notification service.
const (
	urgencyNormal   = byte(1)
	urgencyCritical = byte(2)
	expireNever     = int32(0)
	expireDefault   = int32(-1)
)

// Notifier implements [app.Notifier]. It is safe for concurrent use.
type Notifier struct {
	log *slog.Logger

	mu     sync.Mutex
	conn   *dbus.Conn        // nil until the first notice
	owner  string            // who answered as the notification service
	shown  map[string]uint32 // cause → the daemon's number for its notice
	markup bool              // the daemon reads the text as markup
}

var _ app.Notifier = (*Notifier)(nil)

// New returns a notifier that connects to the desktop when there is something
// to show.
func New(log *slog.Logger) *Notifier {
	return &Notifier{log: log, shown: map[string]uint32{}}
}

// Notify implements [app.Notifier]. It fails when there is no desktop or no
// answer from it within two seconds.
func (n *Notifier) Notify(ctx context.Context, notice app.Notice) error {
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	n.mu.Lock()
	defer n.mu.Unlock()
	if err := n.connectLocked(ctx); err != nil {
		return fmt.Errorf("show notice: %w", err)
	}
	state, urgency, expire := assets.MarkSafe, urgencyNormal, expireDefault
	if notice.Alarm {
		state, urgency, expire = assets.MarkAlarm, urgencyCritical, expireNever
	}
	text := notice.Text
	if n.markup {
		text = strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;").Replace(text)
	}
	hints := map[string]dbus.Variant{
		"urgency":       dbus.MakeVariant(urgency),
		"desktop-entry": dbus.MakeVariant(app.ID),
		"image-data":    dbus.MakeVariant(pixels(state)),
	}
	var id uint32
	err := n.daemon().CallWithContext(ctx, service+".Notify", 0, app.Name, n.shown[notice.Cause],
		app.ID, notice.Title, text, []string{}, hints, expire).Store(&id)
	if err != nil {
		return fmt.Errorf("show notice: %w", n.failedLocked(err))
	}
	n.shown[notice.Cause] = id
	return nil
}

// Resolve implements [app.Notifier].
func (n *Notifier) Resolve(ctx context.Context, cause string) error {
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	n.mu.Lock()
	defer n.mu.Unlock()
	if _, ok := n.shown[cause]; !ok {
		return nil
	}
	if err := n.connectLocked(ctx); err != nil {
		return fmt.Errorf("take notice away: %w", err)
	}
	id, ok := n.shown[cause]
	if !ok {
		return nil // a new daemon, which does not show it
	}
	err := n.daemon().CallWithContext(ctx, service+".CloseNotification", 0, id).Err
	var refused dbus.Error
	if errors.As(err, &refused) {
		// The daemon's way of saying that the owner closed it already.
		n.log.Debug("A notice was gone already", "cause", cause, "error", err)
		err = nil
	}
	if err != nil {
		return fmt.Errorf("take notice away: %w", n.failedLocked(err))
	}
	delete(n.shown, cause)
	return nil
}

// Close takes leave of the desktop. Notices stay where they are.
func (n *Notifier) Close() error {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.closeLocked()
}

func (n *Notifier) daemon() dbus.BusObject { return n.conn.Object(service, object) }

// connectLocked makes sure of a connection and of who is at its other end:
// numbers of an earlier daemon may be other programs' notices by now. The
// connection is kept, as some desktops take notices away when it ends.
func (n *Notifier) connectLocked(ctx context.Context) error {
	if n.conn == nil || !n.conn.Connected() {
		conn, err := dial(ctx)
		if err != nil {
			return err
		}
		n.conn, n.owner = conn, ""
	}
	owner, err := n.ownerLocked(ctx)
	if err != nil {
		return n.failedLocked(err)
	}
	if owner == n.owner {
		return nil
	}
	var can []string
	if err := n.daemon().CallWithContext(ctx, service+".GetCapabilities", 0).Store(&can); err != nil {
		return n.failedLocked(err)
	}
	n.owner, n.markup = owner, false
	clear(n.shown)
	for _, c := range can {
		n.markup = n.markup || c == "body-markup"
	}
	return nil
}

// ownerLocked returns who answers as the notification service, which it has
// started where the desktop starts it only when needed.
func (n *Notifier) ownerLocked(ctx context.Context) (owner string, err error) {
	bus := n.conn.BusObject()
	ask := func() error {
		return bus.CallWithContext(ctx, "org.freedesktop.DBus.GetNameOwner", 0, service).Store(&owner)
	}
	var nobody dbus.Error
	if err = ask(); errors.As(err, &nobody) {
		if err = bus.CallWithContext(ctx, "org.freedesktop.DBus.StartServiceByName", 0, service, uint32(0)).Err; err == nil {
			err = ask()
		}
	}
	return owner, err
}

// dial connects to the session bus, and starts none. A bus that does not
// answer is given up when ctx ends.
func dial(ctx context.Context) (*dbus.Conn, error) {
	conn, err := dbus.SessionBusPrivateNoAutoStartup()
	if err != nil {
		return nil, fmt.Errorf("reach the session bus: %w", err)
	}
	stop := context.AfterFunc(ctx, func() { _ = conn.Close() }) // ends the calls below
	err = conn.Auth(nil)
	if err == nil {
		err = conn.Hello()
	}
	if !stop() && err == nil {
		err = ctx.Err()
	}
	if err != nil {
		return nil, fmt.Errorf("reach the session bus: %w", errors.Join(err, conn.Close()))
	}
	return conn, nil
}

// failedLocked lets go of a connection that failed in any other way than by an
// answer, and returns why it failed.
func (n *Notifier) failedLocked(err error) error {
	var answer dbus.Error
	if errors.As(err, &answer) {
		return err
	}
	return errors.Join(err, n.closeLocked())
}

func (n *Notifier) closeLocked() error {
	if n.conn == nil {
		return nil
	}
	conn := n.conn
	n.conn = nil
	if err := conn.Close(); err != nil && !errors.Is(err, dbus.ErrClosed) {
		return fmt.Errorf("leave the session bus: %w", err)
	}
	return nil
}

// picture is raw pixels as the notification service takes them.
type picture struct {
	Width, Height, Stride int32
	Alpha                 bool
	Bits, Channels        int32
	Pixels                []byte
}

func pixels(s assets.MarkState) picture {
	m := assets.NewMark(s)
	m.Plate = true
	img := image.NewNRGBA(image.Rect(0, 0, iconSize, iconSize))
	draw.Draw(img, img.Bounds(), assets.DrawMark(iconSize, m), image.Point{}, draw.Src)
	return picture{Width: iconSize, Height: iconSize, Stride: int32(img.Stride), Alpha: true, Bits: 8, Channels: 4, Pixels: img.Pix}
}
