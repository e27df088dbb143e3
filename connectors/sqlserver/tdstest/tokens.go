package tdstest

import "encoding/binary"

// Tokens of an answer.
const (
	tokenReturnStatus = 0x79
	tokenColumns      = 0x81
	tokenError        = 0xaa
	tokenInfo         = 0xab
	tokenLoginAck     = 0xad
	tokenRow          = 0xd1
	tokenDone         = 0xfd
	tokenDoneProc     = 0xfe
	tokenDoneInProc   = 0xff
)

// Bits of a token that ends a part of an answer.
const (
	doneMore      = 1
	doneError     = 2
	doneCount     = 0x10
	doneAttention = 0x20
)

// Types of columns.
const (
	typeInt  = 0x26
	typeBit  = 0x68
	typeText = 0xe7
)

type answer Answer

// bytes encodes an answer, to a batch or to a call of a procedure.
func (a answer) bytes(rpc bool) (b []byte) {
	failed := false
	for _, m := range a.Messages {
		b = append(b, m.bytes()...)
		failed = failed || m.Class > 10
	}
	last, status := byte(tokenDone), uint16(0)
	if rpc {
		last = tokenDoneProc
	}
	if failed {
		return append(b, doneToken(last, doneError, 0)...)
	}
	if a.Columns != nil {
		b = append(b, a.columns()...)
		for _, r := range a.Rows {
			b = append(b, a.row(r)...)
		}
		status = doneCount
		if rpc {
			b = append(b, doneToken(tokenDoneInProc, doneMore|doneCount, len(a.Rows))...)
		}
	}
	if rpc {
		b = append(b, tokenReturnStatus, 0, 0, 0, 0)
		status = 0
	}
	return append(b, doneToken(last, status, len(a.Rows))...)
}

func doneToken(kind byte, status uint16, rows int) []byte {
	b := []byte{kind}
	b = binary.LittleEndian.AppendUint16(b, status)
	b = binary.LittleEndian.AppendUint16(b, 0)
	return binary.LittleEndian.AppendUint64(b, uint64(rows))
}

func loginAck() []byte {
	name := encode("Microsoft SQL Server")
	body := []byte{1, 0x74, 0, 0, 4, byte(len(name) / 2)}
	body = append(append(body, name...), 15, 0, 0x07, 0xd0)
	b := binary.LittleEndian.AppendUint16([]byte{tokenLoginAck}, uint16(len(body)))
	return append(append(b, body...), doneToken(tokenDone, 0, 0)...)
}

func (m Message) bytes() []byte {
	kind := byte(tokenError)
	if m.Class <= 10 {
		kind = tokenInfo
	}
	words := encode(m.Text)
	body := binary.LittleEndian.AppendUint32(nil, uint32(m.Number))
	body = append(body, 1, m.Class)
	body = binary.LittleEndian.AppendUint16(body, uint16(len(words)/2))
	body = append(append(body, words...), 0, 0, 1, 0, 0, 0) // no server's and procedure's name, line 1
	return append(binary.LittleEndian.AppendUint16([]byte{kind}, uint16(len(body))), body...)
}

// kind is the type of a column, by its first value.
func (a answer) kind(column int) byte {
	for _, r := range a.Rows {
		switch r[column].(type) {
		case int64:
			return typeInt
		case bool:
			return typeBit
		case string:
			return typeText
		}
	}
	return typeText
}

func (a answer) columns() []byte {
	b := binary.LittleEndian.AppendUint16([]byte{tokenColumns}, uint16(len(a.Columns)))
	for i, name := range a.Columns {
		b = append(b, 0, 0, 0, 0, 1, 0) // user type, nullable
		switch kind := a.kind(i); kind {
		case typeInt:
			b = append(b, kind, 8)
		case typeBit:
			b = append(b, kind, 1)
		default:
			b = append(b, kind, 0x40, 0x1f, 0x09, 0x04, 0xd0, 0x00, 0x34) // 8000 bytes, a collation
		}
		words := encode(name)
		b = append(append(b, byte(len(words)/2)), words...)
	}
	return b
}

func (a answer) row(values []any) []byte {
	b := []byte{tokenRow}
	for i, v := range values {
		switch kind := a.kind(i); v := v.(type) {
		case int64:
			b = binary.LittleEndian.AppendUint64(append(b, 8), uint64(v))
		case bool:
			bit := byte(0)
			if v {
				bit = 1
			}
			b = append(b, 1, bit)
		case string:
			words := encode(v)
			b = append(binary.LittleEndian.AppendUint16(b, uint16(len(words))), words...)
		default:
			if kind == typeText {
				b = append(b, 0xff, 0xff)
			} else {
				b = append(b, 0)
			}
		}
	}
	return b
}
