package webhotel

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strings"

	"kvart/app"
)

// Codes of checks, beside the database's own.
const (
	checkFiles  = "files"
	checkSample = "sample"
	checkSite   = "site"
)

const (
	// most is how many files a check names.
	most = 5
	// samples is how many files are read back from a site, and sampleBytes how
	// large one of them may be.
	samples     = 24
	sampleBytes = 8 << 20
)

// Verify implements [app.Restorer]: every file of the point must be at the
// target, of the same size. In a folder here all of them are read; of a site a
// sample is, evenly spread, and those it can't do without.
func (c *Connector) Verify(ctx context.Context, r app.Restore) (checks []app.Check, err error) {
	const op = "webhotel: verify"
	j, err := c.job(ctx, r)
	if err != nil {
		return nil, err
	}
	defer func() {
		err = errors.Join(err, j.o.pool.Close())
		for i := range checks {
			checks[i].Source = r.Access.Source.Name
		}
	}()
	if j.files {
		if checks, err = j.verifyFiles(ctx); err != nil {
			return nil, j.code(ctx, op, err)
		}
	}
	if !j.db {
		return checks, nil
	}
	inner, err := c.db.Verify(ctx, j.dbPart)
	return append(checks, inner...), innerError(err)
}

func (j *job) verifyFiles(ctx context.Context) ([]app.Check, error) {
	have, _, err := j.present(ctx)
	if err != nil {
		return nil, err
	}
	check := app.Check{Code: checkFiles}
	var wrong []string
	for _, e := range j.list {
		there, ok := j.at(have, e.path)
		if what := difference(e, there, ok); what != "" {
			wrong = append(wrong, readable(e.path)+": "+what)
			check.See(app.Named(differenceCode(there, ok), readable(e.path)))
		}
		delete(have, e.path)
	}
	files, bytes := total(j.list)
	if j.whole {
		if want, ok := j.stats["files"]; ok && want != files {
			wrong = append(wrong, fmt.Sprintf("the point holds %d files, %d were captured", files, want))
			check.See(app.Seen{Code: app.SeenFilesNumber, Count: files, Of: want})
		}
		if want, ok := j.stats["bytes"]; ok && want != bytes {
			wrong = append(wrong, fmt.Sprintf("the point holds %d bytes, %d were captured", bytes, want))
			check.See(app.Seen{Code: app.SeenSizeOther, Count: bytes, Of: want})
		}
	}
	about := fmt.Sprintf("%d files, %d bytes", files, bytes)
	if more := j.extra(have); more > 0 {
		about += fmt.Sprintf("; %d more files on the server are not in the point", more)
		check.See(app.Seen{Code: app.SeenFilesMore, Count: int64(more)})
	}
	check.OK, check.Detail = len(wrong) == 0, detail(about, wrong)
	check.Counted = app.Counted{Files: files, Bytes: bytes}
	checks := []app.Check{check}
	sample, err := j.verifySample(ctx)
	if err != nil {
		return nil, err
	}
	checks = append(checks, sample)
	if site, ok := j.verifySite(); ok {
		checks = append(checks, site)
	}
	return checks, nil
}

// differenceCode tells the owner what [difference] tells the log.
func differenceCode(there entry, ok bool) app.SeenCode {
	switch {
	case !ok:
		return app.SeenFilesMissing
	case there.err != nil:
		return app.SeenFilesUnread
	}
	return app.SeenFilesDiffer
}

// extra counts the files of a site that the point doesn't have.
func (j *job) extra(left map[string]entry) (n int) {
	if !j.whole || j.dir != "" {
		return 0
	}
	for _, e := range left {
		if e.regular() && !j.o.cfg.exclude.Below(e.path, false) {
			n++
		}
	}
	return n
}

func detail(about string, wrong []string) string {
	if len(wrong) > most {
		wrong = append(wrong[:most:most], fmt.Sprintf("and %d more", len(wrong)-most))
	}
	return strings.Join(append([]string{about}, wrong...), "; ")
}

// chosen are the files to be read back.
func (j *job) chosen() (list []entry) {
	var all []entry
	for _, e := range j.list {
		if !e.mode.IsRegular() {
			continue
		}
		if j.dir != "" {
			list = append(list, e)
			continue
		}
		switch e.path {
		case "wp-config.php", "index.php", ".htaccess", "app/config/parameters.php":
			list = append(list, e)
		default:
			if e.size <= sampleBytes {
				all = append(all, e)
			}
		}
	}
	step := max(1, len(all)/samples)
	for i := step / 2; i < len(all); i += step {
		list = append(list, all[i])
	}
	return list
}

func (j *job) verifySample(ctx context.Context) (app.Check, error) {
	check := app.Check{Code: checkSample}
	var wrong []string
	list := j.chosen()
	for _, e := range list {
		same, err := equalAt(ctx, j.o.pool, j.from, e)
		switch {
		case ctx.Err() != nil:
			return check, canceled("webhotel: verify", ctx.Err())
		case err != nil && (faultOf(err) != faultNone || errors.As(err, new(pointError))):
			return check, err
		case err != nil:
			wrong = append(wrong, fmt.Sprintf("%s: %v", readable(e.path), err))
			code := app.SeenFilesUnread
			if errors.Is(err, fs.ErrNotExist) {
				code = app.SeenFilesMissing
			}
			check.See(app.Named(code, readable(e.path)))
		case !same:
			wrong = append(wrong, readable(e.path)+" differs")
			check.See(app.Named(app.SeenFilesDiffer, readable(e.path)))
		}
	}
	check.OK = len(wrong) == 0
	check.Detail = detail(fmt.Sprintf("%d files read", len(list)), wrong)
	check.Counted.Files = int64(len(list))
	return check, nil
}

// verifySite looks whether a site that has a database says which.
func (j *job) verifySite() (app.Check, bool) {
	if !j.whole || !hasDatabase(j.a) {
		return app.Check{}, false
	}
	i := slices.IndexFunc(siteFiles(), func(f siteFile) bool {
		return slices.ContainsFunc(j.list, func(e entry) bool { return e.path == f.path })
	})
	if i < 0 {
		return app.Check{}, false
	}
	l, err := pointLogin(j.from.from)
	if err != nil {
		return app.Check{Code: checkSite, Detail: err.Error(), Seen: []app.Seen{{Code: app.SeenLoginUnread}}}, true
	}
	return app.Check{
		Code: checkSite, OK: true, Detail: path.Base(siteFiles()[i].path) + ": " + l.name,
		Seen: []app.Seen{app.Named(app.SeenSiteDatabase, l.name)},
	}, true
}
