package webhotel

import (
	"context"
	"errors"
	"maps"
	"strconv"

	"kvart/app"
)

// Keys of what a check tells, beside the database's own, which come with
// [statPrefix] before them.
const (
	detailProtocol  = "protocol"
	detailEncrypted = "encrypted"
	detailSite      = "site"
	detailTimes     = "times"
	detailDBName    = fieldDBName
	detailDBUser    = fieldDBUser
	detailDBHost    = fieldDBHost
	detailDBPort    = fieldDBPort
	detailDBPrefix  = "db_prefix"
	// detailNoDatabase names the database that the site has and the source
	// leaves out.
	detailNoDatabase = "no_database"
)

// Check implements [app.Connector]. It lists the site's own folder and nothing
// below, so that it is quick however much there is, and reads the site's
// configuration to tell which database it uses. The database itself is checked
// by its own connector.
func (c *Connector) Check(ctx context.Context, a app.Access) (info app.SourceInfo, err error) {
	const op = "webhotel: check"
	if err := ctx.Err(); err != nil {
		return info, canceled(op, err)
	}
	o, err := c.open(a)
	if err != nil {
		return info, err
	}
	defer func() { err = errors.Join(err, o.pool.Close()) }()
	list, _, err := walk(ctx, o.pool, o.cfg.exclude, func(string) bool { return false })
	if err != nil {
		return info, o.cfg.codeOf(ctx, op, err)
	}
	info.Details = map[string]string{
		detailProtocol: o.cfg.protocol, detailEncrypted: strconv.FormatBool(o.cfg.protocol != protoFTP), detailTimes: "seconds",
	}
	for _, e := range list {
		if !e.regular() {
			continue
		}
		info.Files++
		info.Bytes += e.size
		if e.mtime.After(info.Changed) {
			info.Changed = e.mtime
		}
		if e.grain.Minutes() >= 1 {
			info.Details[detailTimes] = "minutes"
		}
	}
	found, err := o.siteLogin(ctx)
	if err != nil && faultOf(err) != faultNone {
		return info, o.cfg.codeOf(ctx, op, err)
	}
	for key, value := range map[string]string{
		detailSite: found.site, detailDBName: found.name, detailDBUser: found.user, detailDBHost: found.host, detailDBPort: found.port, detailDBPrefix: found.prefix,
	} {
		if value != "" {
			info.Details[key] = value
		}
	}
	if !hasDatabase(a) {
		if found.name != "" {
			info.Details[detailNoDatabase] = found.name
		}
		return info, nil
	}
	return info, c.checkDatabase(ctx, a, o, &info)
}

func (c *Connector) checkDatabase(ctx context.Context, a app.Access, o opened, info *app.SourceInfo) error {
	in, err := c.database(ctx, a, o)
	if err != nil {
		return err
	}
	more, err := c.db.Check(ctx, in)
	if err != nil {
		return innerError(err)
	}
	info.Bytes += more.Bytes
	if more.Changed.After(info.Changed) {
		info.Changed = more.Changed
	}
	for key, value := range maps.All(more.Details) {
		info.Details[statPrefix+key] = value
	}
	return nil
}
