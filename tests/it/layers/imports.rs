//! Which source file imports which: by `use`, `pub use` and paths in the code. `mod` alone imports nothing.
//!
//! Reads words, not Rust: strings and comments are left out, and so is everything that only tests need.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::path::{Path, PathBuf};

use regex::Regex;

/// The place of a file in the tree of modules: `["core", "task"]`. The crate's root is the empty one.
pub(super) type Module = Vec<String>;

/// What begins the tests within a file; they are its end.
const TESTS: &str = "#[cfg(test)]\nmod tests {";

/// Comments and literals, which are dropped, then the words and signs that paths consist of.
const TOKENS: &str = r##"//[^\n]*|r#"(?s:.*?)"#|"(?s:\\.|[^"\\])*"|'(?:\\[^\n]+?|[^\\\n])'|\w+|::|[{}(),;*]"##;

/// All files of a folder of sources.
pub(super) struct Sources {
    files: BTreeMap<Module, (PathBuf, String)>,
}

/// The files that each file imports.
pub(super) struct Imports(pub(super) BTreeMap<Module, BTreeSet<Module>>);

/// Files that import each other, directly or by way of others; with what each of them imports of the circle.
pub(super) struct Circle(BTreeMap<Module, BTreeSet<Module>>);

impl Sources {
    /// The sources below a folder, without files of tests. Programs (`main.rs`) are left out: nothing can import them.
    pub(super) fn read(root: &Path) -> Self {
        let mut files = BTreeMap::new();
        for path in files_below(root) {
            let within = path.strip_prefix(root).unwrap();
            let name = within.to_str().unwrap();
            if name.ends_with("tests.rs") || name == "main.rs" {
                continue;
            }
            let text = std::fs::read_to_string(&path).unwrap().replace("\r\n", "\n");
            let mut module: Module =
                within.with_extension("").iter().map(|part| part.to_str().unwrap().into()).collect();
            if matches!(module.last().map(String::as_str), Some("mod" | "lib")) {
                module.pop();
            }
            files.insert(module, (within.to_owned(), text));
        }
        Self { files }
    }

    /// The path of a module's file, below the root.
    pub(super) fn path(&self, module: &Module) -> &Path {
        &self.files[module].0
    }

    pub(super) fn modules(&self) -> impl Iterator<Item = &Module> {
        self.files.keys()
    }

    /// The imports of every file. A module outside of these sources, such as `std`, is none of them.
    pub(super) fn imports(&self) -> Imports {
        let of = |module: &Module, text: &str| -> BTreeSet<Module> {
            let paths = paths(text).into_iter().filter_map(|path| self.resolve(module, &path));
            paths.filter(|other| other != module).collect()
        };
        Imports(self.files.iter().map(|(module, (_, text))| (module.clone(), of(module, text))).collect())
    }

    /// The file that a path leads to from a module: the longest part of it that is one.
    fn resolve(&self, from: &Module, path: &[&str]) -> Option<Module> {
        let (first, mut rest) = path.split_first()?;
        let mut place = from.clone();
        match *first {
            "crate" => place.clear(),
            "self" => {}
            "super" => {
                place.pop();
                while let Some((&"super", further)) = rest.split_first() {
                    place.pop();
                    rest = further;
                }
            }
            child => {
                place.push(child.to_owned());
                // Else it is another crate, or something that a `use` has brought.
                self.files.get(&place)?;
            }
        }
        for part in rest {
            place.push((*part).to_owned());
            if !self.files.contains_key(&place) {
                place.pop();
                break;
            }
        }
        self.files.contains_key(&place).then_some(place)
    }
}

/// All paths of a file: those of its `use`s, one for each name, and those in its code.
fn paths(text: &str) -> Vec<Vec<&str>> {
    let code = text.split(TESTS).next().unwrap_or_default();
    let tokens: Vec<&str> = Regex::new(TOKENS).unwrap().find_iter(code).map(|token| token.as_str()).collect();
    let tokens: Vec<&str> = tokens.into_iter().filter(|token| !is_left_out(token)).collect();
    let mut paths = Vec::new();
    let mut at = 0;
    while at < tokens.len() {
        if tokens[at] == "use" {
            at = read_use(&tokens, at + 1, &[], &mut paths);
            continue;
        }
        let begin = at;
        at += 1;
        while is_word(tokens[begin])
            && tokens.get(at) == Some(&"::")
            && tokens.get(at + 1).is_some_and(|next| is_word(next))
        {
            at += 2;
        }
        // `pub(super)` and `pub(in crate::core)` say who may see something, and import nothing.
        let is_visibility = begin > 0 && tokens[begin - 1] == "in" && begin > 1 && tokens[begin - 2] == "(";
        if at > begin + 1 && !is_visibility {
            paths.push(tokens[begin..at].iter().step_by(2).copied().collect());
        }
    }
    paths
}

/// Reads one tree of a `use` below a prefix, to its end: `a::{b, c as d}`. Returns where the next token is.
fn read_use<'a>(tokens: &[&'a str], mut at: usize, prefix: &[&'a str], paths: &mut Vec<Vec<&'a str>>) -> usize {
    let mut path = prefix.to_vec();
    let mut is_branch = false;
    while at < tokens.len() && !matches!(tokens[at], "," | "}" | ";") {
        match tokens[at] {
            "{" => {
                is_branch = true;
                while tokens[at] != "}" {
                    at = read_use(tokens, at + 1, &path, paths);
                }
            }
            "as" => at += 1,
            word if is_word(word) => path.push(word),
            _ => {}
        }
        at += 1;
    }
    if !is_branch && path.len() > prefix.len() {
        paths.push(path);
    }
    at
}

fn is_word(token: &str) -> bool {
    token.starts_with(|first: char| first.is_alphabetic() || first == '_')
}

fn is_left_out(token: &str) -> bool {
    token.starts_with("//") || token.starts_with(['"', '\'']) || token.starts_with("r#\"")
}

impl Imports {
    /// Every circle, once.
    pub(super) fn circles(&self) -> Vec<Circle> {
        let reached: BTreeMap<&Module, BTreeSet<&Module>> =
            self.0.keys().map(|module| (module, self.reached(module))).collect();
        let mut circles: Vec<Circle> = Vec::new();
        for (module, others) in &reached {
            if !others.contains(module) || circles.iter().any(|circle| circle.0.contains_key(*module)) {
                continue;
            }
            let members: BTreeSet<&Module> =
                others.iter().copied().filter(|other| reached[other].contains(module)).collect();
            let within =
                |member: &Module| self.0[member].iter().filter(|other| members.contains(other)).cloned().collect();
            circles.push(Circle(members.iter().map(|member| ((*member).clone(), within(member))).collect()));
        }
        circles
    }

    /// What a file imports, what that imports, and so on.
    fn reached(&self, from: &Module) -> BTreeSet<&Module> {
        let mut reached = BTreeSet::new();
        let mut left: Vec<&Module> = self.0[from].iter().collect();
        while let Some(module) = left.pop() {
            if reached.insert(module) {
                left.extend(&self.0[module]);
            }
        }
        reached
    }
}

impl fmt::Display for Circle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{} files import each other:", self.0.len())?;
        for (module, others) in &self.0 {
            let others: Vec<String> = others.iter().map(name).collect();
            writeln!(f, "    {} → {}", name(module), others.join(", "))?;
        }
        Ok(())
    }
}

fn name(module: &Module) -> String {
    if module.is_empty() { "lib".into() } else { module.join("::") }
}

/// All files of Rust below a folder.
pub(super) fn files_below(folder: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let found = entries.flat_map(|path| if path.is_dir() { files_below(&path) } else { vec![path] });
    found.filter(|path| path.extension().is_some_and(|extension| extension == "rs")).collect()
}

#[test]
fn paths_are_found_in_uses_and_in_code_but_not_in_texts() {
    let check = |text: &str, expect: &[&str]| {
        let found: Vec<String> = paths(text).iter().map(|path| path.join("::")).collect();
        assert_eq!(found, expect, "{text}");
    };
    check("use crate::core::Event;", &["crate::core::Event"]);
    check("pub(crate) use a::{self, b::{c, d as e}, f::*,};", &["a::self", "a::b::c", "a::b::d", "a::f"]);
    check("use super::super::a as _; let x = b::c(super::d);", &["super::super::a", "b::c", "super::d"]);
    check("pub(in crate::a) fn f(x: crate::b::C) -> d::E<f::G> {}", &["crate::b::C", "d::E", "f::G"]);
    check("// crate::a::b\nlet x = \"c::d \\\" // \"; let y = ('\"', e::f, r#\"g::\"h\"#);", &["e::f"]);
    check("struct A<'a>(&'a b::C); #[cfg(test)]\nmod tests { use crate::d; }", &["b::C"]);
}

#[test]
fn a_circle_is_found_once_with_all_its_files() {
    let module = |name: &str| vec![name.to_owned()];
    let imports = [("a", "b"), ("b", "c"), ("c", "a"), ("d", "a"), ("e", "f"), ("f", "e")];
    let mut graph: BTreeMap<Module, BTreeSet<Module>> = BTreeMap::new();
    for (from, to) in imports {
        graph.entry(module(from)).or_default().insert(module(to));
    }
    let found: Vec<String> = Imports(graph).circles().iter().map(Circle::to_string).collect();
    let first = "3 files import each other:\n    a → b\n    b → c\n    c → a\n";
    assert_eq!(found, [first, "2 files import each other:\n    e → f\n    f → e\n"]);
}
