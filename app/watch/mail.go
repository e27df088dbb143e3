package watch

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/mail"
	"strings"

	gomail "github.com/wneessen/go-mail"

	"kvart/app"
)

// Ways to encrypt the way to a mail server.
const (
	startTLS = "starttls"
	implicit = "tls"
)

func mailPort(c app.Channel) int {
	switch {
	case c.Port != 0:
		return c.Port
	case c.TLS == implicit:
		return 465
	}
	return 587
}

func (w *Watch) checkMail(c app.Channel) (app.Channel, error) {
	const op = "check mail"
	wrong := func(field, format string, args ...any) (app.Channel, error) {
		return c, app.Errorf(app.CodeUsage, op, format, args...).With("field", field)
	}
	c.Host, c.Where = strings.TrimSpace(c.Host), ""
	if c.TLS == "" {
		c.TLS = startTLS
	}
	switch {
	case c.Host == "" || strings.ContainsAny(c.Host, " /:@\r\n"):
		return wrong("host", "not the name of a mail server")
	case c.Port < 0 || c.Port > 65535:
		return wrong("port", "no such port")
	case c.TLS != startTLS && c.TLS != implicit:
		_, err := wrong("tls", "no way %q", c.TLS)
		return c, app.AsError(err).With("choices", startTLS+", "+implicit)
	case len(c.To) == 0 || len(c.To) > 10:
		return wrong("to", "one to ten receivers")
	}
	if c.From == "" {
		c.From = c.User
	}
	for field, list := range map[string][]string{"from": {c.From}, "to": c.To} {
		for _, address := range list {
			if _, err := mail.ParseAddress(address); err != nil {
				return wrong(field, "not an e-mail address")
			}
		}
	}
	return c, nil
}

// mail sends an alert as an e-mail. A server that does not encrypt is refused.
func (w *Watch) mail(ctx context.Context, c app.Channel, password app.Secret, a app.Alert) error {
	m, err := letter(c, a)
	if err != nil {
		return err
	}
	o := []gomail.Option{
		gomail.WithPort(mailPort(c)), gomail.WithTimeout(w.o.Timeout),
		gomail.WithTLSConfig(&tls.Config{ServerName: c.Host, RootCAs: w.o.Roots, MinVersion: tls.VersionTLS12}),
	}
	if c.TLS == implicit {
		o = append(o, gomail.WithSSL())
	} else {
		o = append(o, gomail.WithTLSPolicy(gomail.TLSMandatory))
	}
	if c.User != "" {
		o = append(o, gomail.WithSMTPAuth(gomail.SMTPAuthAutoDiscover), gomail.WithUsername(c.User), gomail.WithPassword(password.Reveal()))
	}
	client, err := gomail.NewClient(c.Host, o...)
	if err != nil {
		return app.Errorf(app.CodeUsage, "send mail", "%w", err).With("field", "host")
	}
	return mailError(client.DialAndSendWithContext(ctx, m), c.Host)
}

func letter(c app.Channel, a app.Alert) (*gomail.Msg, error) {
	m := gomail.NewMsg()
	if err := errors.Join(m.From(c.From), m.To(c.To...)); err != nil {
		return nil, app.Errorf(app.CodeUsage, "write mail", "%w", err).With("field", "to")
	}
	title := strings.Join(strings.Fields(a.Title), " ")
	if a.Shop != "" {
		title = strings.Join(strings.Fields(a.Shop), " ") + ": " + title
	}
	m.Subject(title)
	m.SetDate()
	m.SetMessageID()
	m.SetGenHeader("Auto-Submitted", "auto-generated")
	if a.Alarm {
		m.SetImportance(gomail.ImportanceHigh)
	}
	m.SetBodyString(gomail.TypeTextPlain, a.Title+"\r\n\r\n"+a.Text+"\r\n")
	return m, nil
}

// mailError tells a server that said no from one that can't be reached. What
// it said is for the log.
func mailError(err error, host string) error {
	if err == nil {
		return nil
	}
	var cert *tls.CertificateVerificationError
	var lost *net.OpError
	var sent *gomail.SendError
	code := app.CodeAlertOffline
	reason := ""
	switch {
	case errors.As(err, &cert):
		code, reason = app.CodeAlertRefused, "certificate"
	case errors.As(err, &lost):
		// No answer came; what its text says of addresses and ports is not one.
	case strings.Contains(err.Error(), "STARTTLS"):
		code, reason = app.CodeAlertRefused, "tls"
	case errors.As(err, &sent):
		code, reason = app.CodeAlertRefused, "refused"
	case strings.Contains(err.Error(), "AUTH"):
		code, reason = app.CodeAlertRefused, "password"
	}
	return app.Errorf(code, "send mail", "%w", fmt.Errorf("mail server: %w", err)).With("where", host).With("reason", reason)
}
