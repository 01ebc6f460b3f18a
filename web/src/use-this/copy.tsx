import { createContext, type ReactNode, useCallback, useContext, useEffect, useId, useRef, useState } from "react";

type Copy = (text: string, name: string, shown: HTMLElement | null) => void;
const CopyContext = createContext<Copy>(() => {});

/** Provides the copy action to its children, and announces the result to screen readers. */
export function Copying({ children }: { children: ReactNode }) {
  const [said, setSaid] = useState("");
  useEffect(() => {
    if (!said) return;
    const timer = setTimeout(() => setSaid(""), 4000);
    return () => clearTimeout(timer);
  }, [said]);
  const copy = useCallback<Copy>((text, name, shown) => {
    write(text).then(
      () => setSaid(`Copied: ${name}`),
      () => {
        // Browsers deny clipboard access to pages without TLS. Selected text can still be copied manually.
        if (shown) getSelection()?.selectAllChildren(shown);
        setSaid(`${name} is selected: copy it with Ctrl+C or ⌘C`);
      },
    );
  }, []);
  return (
    <CopyContext value={copy}>
      {children}
      <p role="status" className="kurultai-said">
        {said}
      </p>
    </CopyContext>
  );
}

async function write(text: string) {
  // `clipboard` is undefined without TLS, although its type does not say so.
  const clipboard = navigator.clipboard as Clipboard | undefined;
  if (!clipboard) throw new Error("no clipboard");
  await clipboard.writeText(text);
}

/** A text with a button that copies it. */
export function Snippet(props: { name: string; text: string; note?: string | undefined; open?: string | undefined; opens?: string }) {
  const { name, text, note, open, opens = "Open" } = props;
  const copy = useContext(CopyContext);
  const shown = useRef<HTMLElement>(null);
  const id = useId();
  return (
    <div className="kurultai-snippet" role="group" aria-labelledby={id}>
      <div className="kurultai-snippet-head">
        <h4 id={id}>{name}</h4>
        {open && (
          <a href={open} target="_blank" rel="noopener" download={opens === "Download" || undefined} aria-label={`${opens}: ${name}`}>
            {opens}
          </a>
        )}
        <button type="button" aria-label={`Copy: ${name}`} onClick={() => copy(text, name, shown.current)}>
          Copy
        </button>
      </div>
      <pre tabIndex={0} aria-labelledby={id}>
        <code ref={shown}>{text}</code>
      </pre>
      {note && <p className="kurultai-note">{note}</p>}
    </div>
  );
}
