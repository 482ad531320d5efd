//! Which file of `src` imports which: its `use` lines and the paths in its code, resolved to files.

use std::collections::{BTreeMap, BTreeSet};

use super::{Source, leading_name};

type Path = Vec<String>;
type Graph = BTreeMap<String, BTreeSet<String>>;

struct File {
    name: String,
    code: String,
    uses: Vec<Use>,
}

/// One name that a `use` brings into a file.
struct Use {
    is_public: bool,
    name: String,
    target: Path,
}

/// Every set of two or more files that import each other, directly or through others.
pub fn circles(sources: &[Source]) -> Vec<Vec<String>> {
    let graph = graph(sources);
    let reached: Graph = graph
        .keys()
        .map(|file| (file.clone(), reached_from(file, &graph)))
        .collect();
    let circles: BTreeSet<Vec<String>> = reached
        .iter()
        .filter(|(file, others)| others.contains(*file))
        .map(|(file, others)| {
            let comes_back = |other: &&String| reached[*other].contains(file);
            others.iter().filter(comes_back).cloned().collect()
        })
        .collect();
    circles.into_iter().collect()
}

fn reached_from(file: &str, graph: &Graph) -> BTreeSet<String> {
    let mut reached = BTreeSet::new();
    let mut open = vec![file];
    while let Some(file) = open.pop() {
        for import in &graph[file] {
            if reached.insert(import.clone()) {
                open.push(import);
            }
        }
    }
    reached
}

fn graph(sources: &[Source]) -> Graph {
    let files: BTreeMap<Path, File> = sources.iter().map(read).collect();
    files
        .iter()
        .map(|(module, file)| {
            let imports = imported_paths(module, file)
                .filter_map(|path| resolve(&path, &files))
                .filter(|(imported, other)| {
                    // A module that declares others may name them, and they may name it.
                    let is_child =
                        imported.len() == module.len() + 1 && imported.starts_with(module);
                    other.name != file.name && !is_child && !imported.is_empty()
                })
                .map(|(_, other)| other.name.clone())
                .collect();
            (file.name.clone(), imports)
        })
        .collect()
}

fn read(source: &Source) -> (Path, File) {
    let name = source.path.to_str().unwrap().to_owned();
    let mut module: Path = name
        .trim_end_matches(".rs")
        .split('/')
        .map(str::to_owned)
        .collect();
    if module.last().is_some_and(|last| last == "mod") || module == ["lib"] {
        module.pop();
    }
    // Tests may import whatever they like.
    let code = source
        .code
        .split("\nmod tests {")
        .next()
        .unwrap()
        .to_owned();
    let uses = uses(&code, &module);
    (module, File { name, code, uses })
}

/// The paths of a file, from the root of the crate.
fn imported_paths<'a>(module: &'a Path, file: &'a File) -> impl Iterator<Item = Path> + 'a {
    let used = file.uses.iter().map(|used| used.target.clone());
    let in_code = paths_in(&file.code).filter_map(move |path| {
        let (first, rest) = path.split_first()?;
        match file.uses.iter().find(|used| used.name == *first) {
            Some(used) => Some([&used.target, rest].concat()),
            None => from_root(&path, module),
        }
    });
    used.chain(in_code)
}

/// The file that holds what a path names, and that file's module. A name that a module re-exports is where it comes from.
fn resolve<'a>(path: &[String], files: &'a BTreeMap<Path, File>) -> Option<(Path, &'a File)> {
    let (file, module, rest) = (0..=path.len()).rev().find_map(|length| {
        let (module, rest) = path.split_at(length);
        Some((files.get(module)?, module, rest))
    })?;
    let exported = rest.first().and_then(|name| {
        let is_it = |used: &&Use| used.is_public && used.name == *name && used.target != path;
        file.uses.iter().find(is_it)
    });
    match exported {
        Some(used) => resolve(&[&used.target, &rest[1..]].concat(), files),
        None => Some((module.to_vec(), file)),
    }
}

fn uses(code: &str, module: &Path) -> Vec<Use> {
    let mut uses = Vec::new();
    for (at, _) in code.match_indices("use ") {
        let before = code[..at].rsplit('\n').next().unwrap().trim();
        if !before.is_empty() && !before.starts_with("pub") {
            continue;
        }
        let tree = code[at + "use ".len()..].split(';').next().unwrap();
        for path in leaves(tree) {
            let (path, name) = path.split_once(" as ").unwrap_or((&path, ""));
            let mut path: Path = path
                .split("::")
                .map(|part| part.trim().to_owned())
                .collect();
            path.pop_if(|last| last == "self");
            let own = path.last().cloned().unwrap_or_default();
            // What comes from other crates has no path from our root, and a submodule of ours may need no `self`.
            let target = from_root(&path, module).unwrap_or([module.as_slice(), &path].concat());
            uses.push(Use {
                is_public: before.starts_with("pub"),
                name: if name.is_empty() {
                    own
                } else {
                    name.trim().to_owned()
                },
                target,
            });
        }
    }
    uses
}

/// `a::{b, c::d}` is `a::b` and `a::c::d`.
fn leaves(tree: &str) -> Vec<String> {
    let tree = tree.trim();
    let Some((prefix, group)) = tree.split_once('{') else {
        return vec![tree.to_owned()];
    };
    let group = group.rsplit_once('}').unwrap().0;
    let mut depth = 0;
    group
        .split(|c| {
            depth += i32::from(c == '{') - i32::from(c == '}');
            c == ',' && depth == 0
        })
        .filter(|part| !part.trim().is_empty())
        .flat_map(|part| leaves(&format!("{prefix}{}", part.trim())))
        .collect()
}

/// `None` for a path that begins neither with `crate` nor with `self` nor with `super`.
fn from_root(path: &[String], module: &Path) -> Option<Path> {
    let climbed = path.iter().take_while(|part| *part == "super").count();
    match path.first()?.as_str() {
        "crate" => Some(path[1..].to_vec()),
        "self" => Some([module, &path[1..]].concat()),
        "super" => {
            let base = module.len().saturating_sub(climbed);
            Some([&module[..base], &path[climbed..]].concat())
        }
        _ => None,
    }
}

/// Names that are joined by `::`, except the start of a group, which `uses` reads, and where something is visible.
fn paths_in(code: &str) -> impl Iterator<Item = Path> {
    let is_part = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == ':';
    let is_visibility = |at: usize| code[..at].ends_with("(in ");
    code.split(move |c| !is_part(c))
        .filter(|word| word.contains("::") && !word.ends_with("::"))
        .filter(move |word| !is_visibility(word.as_ptr().addr() - code.as_ptr().addr()))
        .map(|word| {
            word.split("::")
                .map(|part| leading_name(part).to_owned())
                .collect()
        })
}
